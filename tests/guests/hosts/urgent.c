// One byte of urgent data between hosts: POLLPRI, MSG_OOB, the mark, SO_OOBINLINE.
#include "hosts.h"
#include <linux/sockios.h>

int main(void) {
    begin();
    int fd = stream_between(7109);
    char buffer[16];
    if (!is_server) {
        CHECK_EQ(send(fd, "abc", 3, 0), 3);
        CHECK_EQ(send(fd, "de!", 3, MSG_OOB), 3);
        CHECK_EQ(send(fd, "fgh", 3, 0), 3);
        meet();
    } else {
        meet();
        let_arrive();
        say("poll %s", poll_text(polled(fd, POLLIN | POLLPRI, 1000)));
        int mark;
        CHECK_OK(ioctl(fd, SIOCATMARK, &mark));
        say("at mark %d", mark);
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        say("to the mark: %.*s", (int)n, buffer);
        CHECK_OK(ioctl(fd, SIOCATMARK, &mark));
        say("at mark %d", mark);
        n = recv(fd, buffer, sizeof buffer, MSG_OOB);
        say("urgent: %.*s", (int)n, buffer);
        say("urgent again: %s", error_text(recv(fd, buffer, sizeof buffer, MSG_OOB)));
        n = recv(fd, buffer, sizeof buffer, 0);
        say("after: %.*s", (int)n, buffer);
    }
    meet();
    option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
    meet();
    if (!is_server) {
        CHECK_EQ(send(fd, "x", 1, 0), 1);
        CHECK_EQ(send(fd, "!", 1, MSG_OOB), 1);
        CHECK_EQ(send(fd, "y", 1, 0), 1);
        meet();
    } else {
        meet();
        let_arrive();
        for (int i = 0; i < 3; i++) {
            ssize_t n = recv(fd, buffer, sizeof buffer, 0);
            say("in line: %.*s", (int)n, buffer);
            if (buffer[n - 1] == 'y') break;
        }
        say("out of line: %s", error_text(recv(fd, buffer, sizeof buffer, MSG_OOB)));
    }
    meet();
    return 0;
}
