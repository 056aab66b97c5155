// The kernel's asynchronous I/O of both kinds: works, or says that it is not there.
#include "check.h"
#include <linux/aio_abi.h>
#include <linux/io_uring.h>

static void *wait_for_event(void *context) {
    struct io_event event;
    long got = syscall(SYS_io_getevents, (aio_context_t)context, 1, 1, &event, NULL);
    return (void *)(intptr_t)(got < 0 ? errno : 0);
}

int main(void) {
    enter_tmp();
    aio_context_t context = 0;
    if (syscall(SYS_io_setup, 8, &context) == 0) {
        int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
        struct iocb request = {.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd, .aio_buf = (uintptr_t)"async",
                               .aio_nbytes = 5, .aio_data = 99}, *list = &request;
        CHECK_EQ(syscall(SYS_io_submit, context, 1, &list), 1);
        struct io_event event;
        CHECK_EQ(syscall(SYS_io_getevents, context, 1, 1, &event, NULL), 1);
        CHECK_EQ(event.data, 99);
        CHECK_EQ(event.res, 5);
        char text[8];
        read_file("f", text, sizeof text);
        CHECK_STR(text, "async");
        // Who waits for an event that will not come is told when the context is destroyed.
        pthread_t waiter = thread_start(wait_for_event, (void *)context);
        sleep_ms(50);
        CHECK_OK(syscall(SYS_io_destroy, context));
        CHECK_EQ((intptr_t)thread_join(waiter), EINVAL);
        CHECK_ERRNO(syscall(SYS_io_destroy, context), EINVAL);
    } else {
        CHECK(errno == ENOSYS || errno == EAGAIN);
    }
    struct io_uring_params params = {0};
    int ring = syscall(SYS_io_uring_setup, 4, &params);
    CHECK(ring >= 0 || errno == ENOSYS || errno == EPERM || errno == ENOMEM);
    return 0;
}
