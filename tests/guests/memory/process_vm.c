// process_vm_readv and writev: another process's memory, where that is allowed.
#include "check.h"
#include <sys/uio.h>

int main(void) {
    static char text[16] = "in the child";
    int pipes[2], done[2];
    CHECK_OK(pipe(pipes));
    CHECK_OK(pipe(done));
    pid_t pid;
    CHILD(pid) {
        strcpy(text, "CHILD'S");
        CHECK_EQ(write(pipes[1], "x", 1), 1);
        char byte;
        CHECK_EQ(read(done[0], &byte, 1), 1);
        if (byte == 'w') CHECK_STR(text, "changed");
    }
    char byte, copy[16] = {0};
    CHECK_EQ(read(pipes[0], &byte, 1), 1);
    struct iovec local = {copy, 8}, remote = {text, 8}, bad = {(void *)16, 8};
    CHECK_ERRNO(process_vm_readv(getpid(), &local, 1, &remote, 1, 1), EINVAL);
    ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);
    if (got < 0) {
        CHECK(errno == EPERM || errno == ENOSYS);
        CHECK_EQ(write(done[1], "r", 1), 1);
    } else {
        CHECK_EQ(got, 8);
        CHECK_STR(copy, "CHILD'S");
        CHECK_STR(text, "in the child");
        CHECK_ERRNO(process_vm_readv(pid, &local, 1, &bad, 1, 0), EFAULT);
        CHECK_ERRNO(process_vm_readv(99999999, &local, 1, &remote, 1, 0), ESRCH);
        strcpy(copy, "changed");
        CHECK_EQ(process_vm_writev(pid, &local, 1, &remote, 1, 0), 8);
        CHECK_EQ(write(done[1], "w", 1), 1);
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
