// exec closes marked descriptors, keeps the others with their offsets, and keeps the pid.
#include "check.h"

int main(int argc, char **argv) {
    if (argc > 1) {
        CHECK_EQ(getpid(), atoi(argv[1]));
        CHECK_ERRNO(fcntl(50, F_GETFD), EBADF);
        CHECK_ERRNO(fcntl(51, F_GETFD), EBADF);
        CHECK_EQ(fcntl(52, F_GETFD), 0);
        CHECK_EQ(lseek(52, 0, SEEK_CUR), 3);
        CHECK_EQ(fcntl(53, F_GETFD), 0);
        return 0;
    }
    enter_tmp();
    write_file("f", "0123456789");
    pid_t pid;
    CHILD(pid) {
        int fd = CHECK_OK(open("f", O_RDONLY));
        CHECK_OK(lseek(fd, 3, SEEK_SET));
        CHECK_OK(dup3(fd, 50, O_CLOEXEC));
        CHECK_OK(dup2(fd, 51));
        CHECK_OK(fcntl(51, F_SETFD, FD_CLOEXEC));
        CHECK_OK(dup2(fd, 52));
        CHECK_OK(dup2(50, 53));
        char me[16];
        snprintf(me, sizeof me, "%d", getpid());
        CHECK_OK(execl("/proc/self/exe", argv[0], me, NULL));
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
