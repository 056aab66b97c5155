// What every guest includes: checks that say where and why they failed, and a bound on the whole run.
//
// A guest is silent and exits 0 when all is well. The first check that fails prints one line and exits 1.
#ifndef CHECK_H
#define CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK_API static __attribute__((unused))

// The guest's own directory under /tmp, when it asked for one with enter_tmp().
static char check_tmp[PATH_MAX];
static pid_t check_tmp_owner;

CHECK_API int check_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    remove(path);
    return 0;
}

// Only the process that made the directory removes it: children exit through here as well.
CHECK_API void check_remove_tmp(void) {
    if (check_tmp_owner == getpid()) {
        check_tmp_owner = 0;
        nftw(check_tmp, check_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
}

__attribute__((noreturn, format(printf, 3, 4)))
CHECK_API void check_fail(const char *file, int line, const char *format, ...) {
    char text[1024];
    int at = snprintf(text, sizeof text, "%s:%d: ", file, line);
    va_list args;
    va_start(args, format);
    int more = vsnprintf(text + at, sizeof text - at - 2, format, args);
    va_end(args);
    at += more > (int)sizeof text - at - 3 ? (int)sizeof text - at - 3 : more;
    text[at++] = '\n';
    if (write(2, text, at) < 0) { /* nobody left to tell */ }
    check_remove_tmp();
    _exit(1);
}

#define FAIL(...) check_fail(__FILE__, __LINE__, __VA_ARGS__)

#define CHECK(cond) \
    do { \
        if (!(cond)) FAIL("CHECK(%s) (errno %d: %s)", #cond, errno, strerror(errno)); \
    } while (0)

#define CHECK_EQ(left, right) \
    do { \
        long long left_ = (long long)(left), right_ = (long long)(right); \
        if (left_ != right_) \
            FAIL("CHECK_EQ(%s, %s): %lld != %lld (errno %d: %s)", #left, #right, left_, right_, errno, strerror(errno)); \
    } while (0)

#define CHECK_STR(left, right) \
    do { \
        const char *left_ = (left), *right_ = (right); \
        if (strcmp(left_, right_)) FAIL("CHECK_STR(%s, %s): \"%s\" != \"%s\"", #left, #right, left_, right_); \
    } while (0)

// The call must not fail. Its value is the expression's.
#define CHECK_OK(call) \
    ({ \
        __typeof__(call) value_ = (call); \
        if ((long long)value_ == -1) FAIL("%s: errno %d: %s", #call, errno, strerror(errno)); \
        value_; \
    })

// The call must fail with this error.
#define CHECK_ERRNO(call, expected) \
    do { \
        errno = 0; \
        long long value_ = (long long)(call); \
        int error_ = errno; \
        if (value_ != -1) FAIL("%s: returned %lld, expected %s", #call, value_, #expected); \
        if (error_ != (expected)) FAIL("%s: errno %d: %s, expected %s", #call, error_, strerror(error_), #expected); \
    } while (0)

// For pthread_ functions, which return the error.
#define CHECK_ZERO(call) \
    do { \
        int error_ = (call); \
        if (error_) FAIL("%s: error %d: %s", #call, error_, strerror(error_)); \
    } while (0)

CHECK_API void sleep_ms(long ms) {
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&left, &left) && errno == EINTR) {}
}

CHECK_API long long clock_ns(clockid_t clock) {
    struct timespec ts;
    CHECK_OK(clock_gettime(clock, &ts));
    return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

CHECK_API long long now_ms(void) { return clock_ns(CLOCK_MONOTONIC) / 1000000; }

// For what another task does in its own time: asks again each millisecond, for ten seconds.
#define WAIT_UNTIL(cond) \
    do { \
        int tries_ = 0; \
        while (!(cond)) { \
            if (++tries_ > 10000) FAIL("WAIT_UNTIL(%s): not in time", #cond); \
            sleep_ms(1); \
        } \
    } while (0)

__attribute__((constructor)) CHECK_API void check_bound(void) {
    alarm(20);
    // Guests die on purpose: no core files.
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

// Children have no alarm of their own until they ask for one.
CHECK_API pid_t fork_child(void) {
    fflush(NULL);
    pid_t pid = CHECK_OK(fork());
    if (pid == 0) alarm(20);
    return pid;
}

// Runs the block that follows in a child, which exits 0 at its end.
#define CHILD(pid) for ((pid) = fork_child(); (pid) == 0; _exit(0))

CHECK_API int wait_status(pid_t pid) {
    int status;
    pid_t got;
    while ((got = waitpid(pid, &status, 0)) < 0 && errno == EINTR) {}
    if (got != pid) FAIL("waitpid(%d): %d, errno %d: %s", pid, got, errno, strerror(errno));
    return status;
}

#define CHECK_EXIT(pid, code) \
    do { \
        int status_ = wait_status(pid); \
        if (!WIFEXITED(status_) || WEXITSTATUS(status_) != (code)) \
            FAIL("child %s: wait status %#x, expected exit %d", #pid, status_, (int)(code)); \
    } while (0)

#define CHECK_KILLED(pid, sig) \
    do { \
        int status_ = wait_status(pid); \
        if (!WIFSIGNALED(status_) || WTERMSIG(status_) != (sig)) \
            FAIL("child %s: wait status %#x, expected death by signal %d", #pid, status_, (int)(sig)); \
    } while (0)

// A fresh working directory, removed at exit.
CHECK_API void enter_tmp(void) {
    strcpy(check_tmp, "/tmp/guest-XXXXXX");
    CHECK(mkdtemp(check_tmp));
    check_tmp_owner = getpid();
    atexit(check_remove_tmp);
    CHECK_OK(chdir(check_tmp));
}

CHECK_API void write_file(const char *path, const char *text) {
    int fd = CHECK_OK(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    CHECK_OK(close(fd));
}

// The whole of a file, as a string in a buffer of the caller's.
CHECK_API size_t read_file(const char *path, char *buffer, size_t size) {
    int fd = CHECK_OK(open(path, O_RDONLY | O_CLOEXEC));
    size_t length = 0;
    ssize_t got;
    while (length < size - 1 && (got = CHECK_OK(read(fd, buffer + length, size - 1 - length))) > 0) length += got;
    buffer[length] = 0;
    CHECK_OK(close(fd));
    return length;
}

// Sends the signal to its parent over and over, until stop_hitting: no call is so slow to begin that it misses all.
CHECK_API pid_t hit_parent(int sig) {
    pid_t parent = getpid(), pid;
    CHILD(pid) for (;;) {
        sleep_ms(10);
        CHECK_OK(kill(parent, sig));
    }
    return pid;
}

CHECK_API void stop_hitting(pid_t pid) {
    CHECK_OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
}

// Zeroed memory that children share.
CHECK_API void *shared_memory(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

CHECK_API pthread_t thread_start(void *(*run)(void *), void *argument) {
    pthread_t thread;
    CHECK_ZERO(pthread_create(&thread, NULL, run, argument));
    return thread;
}

CHECK_API void *thread_join(pthread_t thread) {
    void *value;
    CHECK_ZERO(pthread_join(thread, &value));
    return value;
}

CHECK_API void on_signal(int sig, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    CHECK_OK(sigaction(sig, &action, NULL));
}

CHECK_API void on_siginfo(int sig, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
    CHECK_OK(sigaction(sig, &action, NULL));
}

CHECK_API void block_signal(int how, int sig) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    CHECK_OK(sigprocmask(how, &set, NULL));
}

#endif
