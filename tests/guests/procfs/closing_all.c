// Closing every descriptor that /proc/self/fd lists, while it is listed in small pieces, misses none.
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>

struct linux_dirent64 {
    unsigned long long ino, off;
    unsigned short len;
    unsigned char type;
    char name[];
};

int main(void) {
    int last = 0;
    for (int i = 0; i < 100; i++) last = CHECK_OK(open("/dev/null", O_RDONLY));
    int dir = CHECK_OK(open("/proc/self/fd", O_RDONLY | O_DIRECTORY));
    long n;
    char piece[280] __attribute__((aligned(8)));
    while ((n = CHECK_OK(syscall(SYS_getdents64, dir, piece, sizeof piece))) > 0) {
        for (long at = 0; at < n;) {
            struct linux_dirent64 *entry = (void *)(piece + at);
            int fd = atoi(entry->name);
            if (fd > 2 && fd != dir) CHECK_OK(close(fd));
            at += entry->len;
        }
    }
    for (int fd = 3; fd <= last; fd++) {
        if (fd != dir) CHECK_ERRNO(fcntl(fd, F_GETFD), EBADF);
    }
    return 0;
}
