// Where an id may be a thread's, and other ways to name a process: kill, pidfds that do not wait, folders of /proc.
#include "check.h"
#include <poll.h>
#include <sys/pidfd.h>

static volatile sig_atomic_t got, with_info;

static void note(int sig, siginfo_t *info, void *context) {
    (void)context;
    got = sig;
    with_info = info->si_code;
}

static pid_t other;

static void *wait_for_signal(void *argument) {
    (void)argument;
    __atomic_store_n(&other, gettid(), __ATOMIC_SEQ_CST);
    WAIT_UNTIL(got == SIGUSR2);
    return NULL;
}

int main(void) {
    on_siginfo(SIGUSR1, note, SA_RESETHAND);
    on_siginfo(SIGUSR2, note, 0);
    pthread_t thread = thread_start(wait_for_signal, NULL);
    WAIT_UNTIL(__atomic_load_n(&other, __ATOMIC_SEQ_CST));
    CHECK_OK(kill(other, SIGUSR1));
    WAIT_UNTIL(got == SIGUSR1);
    // SA_RESETHAND takes the handler away and leaves the flags.
    struct sigaction action;
    CHECK_OK(sigaction(SIGUSR1, NULL, &action));
    CHECK(action.sa_handler == SIG_DFL);
    CHECK(action.sa_flags & SA_SIGINFO);
    siginfo_t info = {.si_signo = SIGUSR2, .si_code = SI_QUEUE};
    CHECK_OK(syscall(SYS_rt_sigqueueinfo, other, SIGUSR2, &info));
    thread_join(thread);
    CHECK_EQ(with_info, SI_QUEUE);

    int self = CHECK_OK(open("/proc/self", O_DIRECTORY));
    got = 0;
    CHECK_OK(pidfd_send_signal(self, SIGUSR2, NULL, 0));
    CHECK_EQ(got, SIGUSR2);
    CHECK_ERRNO(pidfd_send_signal(self, SIGUSR1, &info, 0), EINVAL);
    int folder = CHECK_OK(open("/proc", O_DIRECTORY));
    CHECK_ERRNO(pidfd_send_signal(folder, SIGUSR2, NULL, 0), EBADF);

    pid_t pid;
    CHILD(pid) sleep_ms(20);
    int fd = CHECK_OK(pidfd_open(pid, PIDFD_NONBLOCK));
    CHECK_ERRNO(waitid(P_PIDFD, fd, &info, WEXITED), EAGAIN);
    struct pollfd end = {fd, POLLIN, 0};
    CHECK_EQ(poll(&end, 1, -1), 1);
    CHECK_OK(waitid(P_PIDFD, fd, &info, WEXITED));
    CHECK_EQ(info.si_pid, pid);
    return 0;
}
