// POSIX message queues: priorities, limits, waiting, notification; may be missing from a kernel.
// link: -lrt
#include "check.h"
#include <mqueue.h>
#include <poll.h>

static volatile int notified;
static void handler(int sig, siginfo_t *info, void *context) { notified = info->si_value.sival_int; }

int main(void) {
    char name[64], text[64];
    snprintf(name, sizeof name, "/guest-%d", getpid());
    struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 32}, now;
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attributes);
    if (queue == -1 && (errno == ENOSYS || errno == EACCES)) return 0;
    CHECK(queue != -1);
    CHECK_ERRNO(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes), EEXIST);
    CHECK_OK(mq_unlink(name));
    CHECK_ERRNO(mq_unlink(name), ENOENT);
    CHECK_ERRNO(mq_receive(queue, text, 64, NULL), EAGAIN);
    CHECK_OK(mq_send(queue, "low", 4, 1));
    CHECK_OK(mq_send(queue, "high", 5, 9));
    CHECK_OK(mq_send(queue, "low2", 5, 1));
    CHECK_OK(mq_send(queue, "", 0, 5));
    CHECK_ERRNO(mq_send(queue, "x", 1, 1), EAGAIN);
    CHECK_ERRNO(mq_send(queue, text, 33, 1), EMSGSIZE);
    CHECK_OK(mq_getattr(queue, &now));
    CHECK(now.mq_curmsgs == 4 && now.mq_maxmsg == 4 && now.mq_msgsize == 32);
    unsigned priority;
    CHECK_ERRNO(mq_receive(queue, text, 31, NULL), EMSGSIZE);
    CHECK_EQ(mq_receive(queue, text, 64, &priority), 5);
    CHECK(priority == 9 && !strcmp(text, "high"));
    CHECK_EQ(mq_receive(queue, text, 64, &priority), 0);
    CHECK_EQ(mq_receive(queue, text, 64, &priority), 4);
    CHECK_STR(text, "low");
    CHECK_EQ(mq_receive(queue, text, 64, &priority), 5);
    on_siginfo(SIGUSR1, handler, 0);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 8};
    CHECK_OK(mq_notify(queue, &event));
    CHECK_ERRNO(mq_notify(queue, &event), EBUSY);
    pid_t pid;
    CHILD(pid) CHECK_OK(mq_send(queue, "n", 1, 0));
    CHECK_EXIT(pid, 0);
    WAIT_UNTIL(notified == 8);
    struct pollfd ready = {queue, POLLIN, 0};
    CHECK_EQ(poll(&ready, 1, 0), 1);
    CHECK_EQ(mq_receive(queue, text, 64, NULL), 1);
    struct mq_attr blocking = {0};
    CHECK_OK(mq_setattr(queue, &blocking, NULL));
    struct timespec past = {1, 0};
    CHECK_ERRNO(mq_timedreceive(queue, text, 64, NULL, &past), ETIMEDOUT);
    CHILD(pid) {
        sleep_ms(10);
        CHECK_OK(mq_send(queue, "wake", 4, 0));
    }
    CHECK_EQ(mq_receive(queue, text, 64, NULL), 4);
    CHECK_EXIT(pid, 0);
    CHECK_OK(mq_close(queue));
    return 0;
}
