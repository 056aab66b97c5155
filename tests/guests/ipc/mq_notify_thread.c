// mq_notify with SIGEV_THREAD: the C library's thread hears of a message, once, and can ask again.
#include "check.h"
#include <mqueue.h>

static int heard;

static void hear(union sigval value) {
    CHECK_EQ(value.sival_int, 77);
    __atomic_add_fetch(&heard, 1, __ATOMIC_SEQ_CST);
}

int main(void) {
    char name[32], text[16];
    snprintf(name, sizeof name, "/guest-%d", getpid());
    struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 16};
    mqd_t queue = CHECK_OK(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes));
    CHECK_OK(mq_unlink(name));
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = hear, .sigev_value.sival_int = 77};
    for (int i = 1; i <= 2; i++) {
        CHECK_OK(mq_notify(queue, &event));
        CHECK_ERRNO(mq_notify(queue, &event), EBUSY);
        CHECK_OK(mq_send(queue, "one", 3, 1));
        CHECK_OK(mq_send(queue, "two", 3, 1));
        WAIT_UNTIL(__atomic_load_n(&heard, __ATOMIC_SEQ_CST) == i);
        CHECK_EQ(mq_receive(queue, text, sizeof text, NULL), 3);
        CHECK_EQ(mq_receive(queue, text, sizeof text, NULL), 3);
    }
    // Taken back, it is not heard any more.
    CHECK_OK(mq_notify(queue, &event));
    CHECK_OK(mq_notify(queue, NULL));
    CHECK_OK(mq_send(queue, "three", 5, 1));
    sleep_ms(50);
    CHECK_EQ(heard, 2);
    CHECK_OK(mq_close(queue));
    return 0;
}
