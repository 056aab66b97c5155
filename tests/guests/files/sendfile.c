// sendfile: from a file to a file, a pipe and a socket.
#include "check.h"
#include <sys/sendfile.h>
#include <sys/socket.h>

int main(void) {
    enter_tmp();
    char block[10000], back[10000];
    for (size_t i = 0; i < sizeof block; i++) block[i] = i * 7;
    int in = CHECK_OK(open("in", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(write(in, block, sizeof block), sizeof block);
    int out = CHECK_OK(open("out", O_RDWR | O_CREAT, 0600));
    off_t at = 100;
    CHECK_EQ(sendfile(out, in, &at, 20000), 9900);
    CHECK_EQ(at, 10000);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 10000);
    CHECK_EQ(sendfile(out, in, NULL, 10), 0);
    CHECK_EQ(pread(out, back, sizeof back, 0), 9900);
    CHECK(!memcmp(back, block + 100, 9900));

    int pipes[2], pair[2];
    CHECK_OK(pipe(pipes));
    CHECK_OK(lseek(in, 0, SEEK_SET));
    CHECK_EQ(sendfile(pipes[1], in, NULL, 5000), 5000);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 5000);
    CHECK_EQ(read(pipes[0], back, sizeof back), 5000);
    CHECK(!memcmp(back, block, 5000));
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_EQ(sendfile(pair[0], in, NULL, 5000), 5000);
    CHECK_EQ(recv(pair[1], back, 5000, MSG_WAITALL), 5000);
    CHECK(!memcmp(back, block + 5000, 5000));
    CHECK_ERRNO(sendfile(out, 9999, NULL, 1), EBADF);
    int append = CHECK_OK(open("out", O_WRONLY | O_APPEND));
    CHECK_ERRNO(sendfile(append, in, NULL, 1), EINVAL);
    return 0;
}
