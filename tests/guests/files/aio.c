// Asynchronous I/O by the kernel's own calls: requests, events, a descriptor that is told.
#include "check.h"
#include <linux/aio_abi.h>
#include <sys/eventfd.h>

int main(void) {
    enter_tmp();
    aio_context_t context = 0;
    CHECK_ERRNO(syscall(SYS_io_setup, 0, &context), EINVAL);
    if (syscall(SYS_io_setup, 8, &context)) return 0;  // Not every kernel has them.
    CHECK_ERRNO(syscall(SYS_io_setup, 8, &context), EINVAL);
    int fd = CHECK_OK(open("f", O_CREAT | O_RDWR, 0600)), told = CHECK_OK(eventfd(0, 0));
    struct iocb write_one = {
        .aio_data = 7, .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd, .aio_buf = (uintptr_t)"hello", .aio_nbytes = 5,
        .aio_offset = 10, .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = told,
    }, *list[1] = {&write_one};
    CHECK_EQ(syscall(SYS_io_submit, context, 1, list), 1);
    struct io_event event;
    CHECK_EQ(syscall(SYS_io_getevents, context, 1, 1, &event, NULL), 1);
    CHECK(event.data == 7 && event.obj == (uintptr_t)&write_one && event.res == 5);
    uint64_t count;
    CHECK_EQ(read(told, &count, 8), 8);
    CHECK_EQ(count, 1);
    char text[32] = {0};
    struct iocb read_one = {
        .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = fd, .aio_buf = (uintptr_t)text, .aio_nbytes = 20, .aio_offset = 10,
    };
    list[0] = &read_one;
    CHECK_EQ(syscall(SYS_io_submit, context, 1, list), 1);
    CHECK_EQ(syscall(SYS_io_getevents, context, 1, 1, &event, NULL), 1);
    CHECK_EQ(event.res, 5);
    CHECK_STR(text, "hello");
    struct timespec little = {0, 10000000};
    CHECK_EQ(syscall(SYS_io_getevents, context, 1, 1, &event, &little), 0);
    read_one.aio_fildes = 999;
    CHECK_ERRNO(syscall(SYS_io_submit, context, 1, list), EBADF);
    CHECK_OK(syscall(SYS_io_destroy, context));
    CHECK_ERRNO(syscall(SYS_io_destroy, context), EINVAL);
    return 0;
}
