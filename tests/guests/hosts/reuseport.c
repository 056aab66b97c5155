// Two listeners with SO_REUSEPORT share what comes: which gets which varies, all is taken and each gets some.
#include "hosts.h"

enum { COUNT = 64 };

int main(void) {
    begin();
    if (is_server) {
        int plain = bound_to(SOCK_STREAM, 7117);
        CHECK_OK(listen(plain, 1));
        int fds[2];
        for (int i = 0; i < 2; i++) {
            fds[i] = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
            option(fds[i], SOL_SOCKET, SO_REUSEPORT, 1);
            struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7116)};
            CHECK_OK(bind(fds[i], (void *)&any, sizeof any));
            CHECK_OK(listen(fds[i], COUNT));
        }
        int other = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0));
        struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7116)};
        say("without the option: %s", error_text(bind(other, (void *)&any, sizeof any)));
        meet();
        meet();
        let_arrive();
        int taken[2] = {0, 0};
        for (int i = 0; i < 2; i++)
            while (polled(fds[i], POLLIN, 0)) CHECK_OK(accept(fds[i], NULL, NULL)), taken[i]++;
        say("all %d, each some: %d", taken[0] + taken[1], taken[0] > 0 && taken[1] > 0);
    } else {
        meet();
        for (int i = 0; i < COUNT; i++) connected_to("server", 7116);
        meet();
    }
    meet();
    return 0;
}
