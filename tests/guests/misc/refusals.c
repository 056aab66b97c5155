// What calls refuse, and which of two mistakes they find first.
#include "check.h"
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/xattr.h>

static void places(void) {
    int ends[2];
    char byte = 0;
    CHECK_OK(pipe(ends));
    // That a pipe has no places is found before that this end cannot be written.
    CHECK_ERRNO(pwrite(ends[0], &byte, 1, 0), ESPIPE);
    CHECK_ERRNO(pread(ends[1], &byte, 1, 0), ESPIPE);
    CHECK_ERRNO(pread(ends[1], &byte, 1, -1), EINVAL);
    CHECK_ERRNO(sync_file_range(ends[0], 0, 1, 0), ESPIPE);
    int fd = CHECK_OK(open("file", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(write(fd, "0123456789", 10), 10);
    CHECK_ERRNO(sync_file_range(fd, -1, 1, 0), EINVAL);
    CHECK_ERRNO(sync_file_range(fd, 0, -1, 0), EINVAL);
    CHECK_ERRNO(sync_file_range(fd, 0, 1, 8), EINVAL);
    CHECK_OK(sync_file_range(fd, 0, 1, 7));
    off_t offset = -1;
    CHECK_ERRNO(sendfile(ends[1], fd, &offset, 1), EINVAL);
    int only = CHECK_OK(open("file", O_PATH));
    CHECK_ERRNO(fgetxattr(only, "no namespace", &byte, 1), EBADF);
}

static void memory(void) {
    CHECK(mmap(NULL, 0, PROT_READ, MAP_SHARED, 999, 0) == MAP_FAILED && errno == EBADF);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, 999, 1) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
    int fd = CHECK_OK(open("file", O_RDWR));
    // MAP_SYNC, which memory must be able to.
    int flags = MAP_SHARED_VALIDATE | 0x80000;
    CHECK(mmap(NULL, 4096, PROT_READ, flags, fd, 0) == MAP_FAILED && errno == EOPNOTSUPP);
    void *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE, fd, 0);
    CHECK(at != MAP_FAILED);
    CHECK_ERRNO(madvise(at, 4096, MADV_FREE), EINVAL);
    // What the mapping refuses comes before what is not mapped.
    CHECK_OK(munmap(mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0) + 4096, 4096));
    CHECK_ERRNO(madvise(at, 1 << 30, MADV_WIPEONFORK), EINVAL);
}

static void clocks(void) {
    struct timespec time = {0};
    CHECK_ERRNO(clock_getres(-1, &time), EINVAL);
    CHECK_ERRNO(clock_gettime(-1, &time), EINVAL);
    CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &time, NULL), EOPNOTSUPP);
    CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, NULL, NULL), EOPNOTSUPP);
    CHECK_ERRNO(syscall(SYS_clock_nanosleep, 12345, 0, &time, NULL), EINVAL);
    int timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_signo = SIGALRM};
    CHECK_OK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer));
    CHECK_ERRNO(syscall(SYS_timer_settime, timer, 0, NULL, NULL), EINVAL);
    CHECK_OK(syscall(SYS_timer_delete, timer));
}

static void sockets(void) {
    int fd = CHECK_OK(socket(AF_INET, SOCK_STREAM, 0)), value;
    socklen_t size = sizeof value;
    CHECK_ERRNO(getsockopt(fd, 500, 1, &value, &size), EOPNOTSUPP);
    CHECK_ERRNO(getsockopt(fd, IPPROTO_UDP, 1, &value, &size), EOPNOTSUPP);
    CHECK_ERRNO(getsockopt(fd, IPPROTO_TCP, -1, &value, &size), ENOPROTOOPT);
    // Nobody waits for an error.
    int udp = CHECK_OK(socket(AF_INET, SOCK_DGRAM, 0));
    CHECK_ERRNO(recv(udp, &value, sizeof value, MSG_ERRQUEUE), EAGAIN);
}

static void nesting(void) {
    int ends[2], fd;
    CHECK_OK(pipe(ends));
    fd = ends[0];
    struct epoll_event event = {.events = EPOLLIN};
    for (int depth = 0; depth < 5; depth++) {
        int outer = CHECK_OK(epoll_create1(0));
        CHECK_OK(epoll_ctl(outer, EPOLL_CTL_ADD, fd, &event));
        fd = outer;
    }
    int outer = CHECK_OK(epoll_create1(0));
    CHECK(epoll_ctl(outer, EPOLL_CTL_ADD, fd, &event) == -1 && (errno == ELOOP || errno == EINVAL));
}

static void capabilities(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{1 << CAP_KILL, 1 << CAP_KILL, 1 << CAP_KILL}};
    pid_t pid;
    CHILD(pid) {
        if (geteuid() != 0) _exit(0);
        CHECK_OK(prctl(PR_SET_SECUREBITS, 1 << 6));  // SECBIT_NO_CAP_AMBIENT_RAISE
        CHECK_EQ(prctl(PR_GET_SECUREBITS), 1 << 6);
        CHECK_OK(syscall(SYS_capset, &header, data));
        CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0), EPERM);
        CHECK_ERRNO(prctl(PR_SET_SECUREBITS, 0), EPERM);
        data[0].inheritable |= 1 << CAP_NET_RAW;
        CHECK_ERRNO(syscall(SYS_capset, &header, data), EPERM);
    }
    CHECK_EXIT(pid, 0);
    CHILD(pid) {
        if (geteuid() != 0) _exit(0);
        CHECK_OK(chmod("file", 0));
        CHECK_EQ(setfsuid(-1), 0);
        CHECK_EQ(setfsuid(65534), 0);
        CHECK_ERRNO(open("file", O_RDONLY), EACCES);
        CHECK_EQ(setfsuid(0), 65534);
        CHECK_OK(open("file", O_RDONLY));
    }
    CHECK_EXIT(pid, 0);
}

static void knobs(void) {
    CHECK_ERRNO(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), EINVAL);
    CHECK_ERRNO(prctl(PR_SET_THP_DISABLE, 1, 1, 0, 0), EINVAL);
    CHECK_ERRNO(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0), EINVAL);
    CHECK_ERRNO(prctl(PR_SET_TIMING, 1, 0, 0, 0), EINVAL);
    CHECK_EQ(prctl(PR_GET_TIMING, 0, 0, 0, 0), PR_TIMING_STATISTICAL);
    CHECK_OK(prctl(PR_SET_TIMERSLACK, 70000, 0, 0, 0));
    pid_t pid;
    CHILD(pid) {
        // What its parent had is what it goes back to.
        CHECK_OK(prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0));
        CHECK_OK(prctl(PR_SET_TIMERSLACK, 0, 0, 0, 0));
        CHECK_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 70000);
        CHECK_EQ(personality(PER_LINUX32), PER_LINUX);
        CHECK_EQ(personality(0xffffffff), PER_LINUX32);
        struct utsname name;
        CHECK_OK(uname(&name));
        CHECK_STR(name.machine, "i686");
    }
    CHECK_EXIT(pid, 0);
    CHECK_EQ(personality(0xffffffff), PER_LINUX);
}

int main(void) {
    enter_tmp();
    places();
    memory();
    clocks();
    sockets();
    nesting();
    knobs();
    capabilities();
    return 0;
}
