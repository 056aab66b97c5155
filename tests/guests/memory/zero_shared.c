// A shared mapping of /dev/zero is memory that children share; opened for reading it stays so.
#include "check.h"

int main(void) {
    int fd = CHECK_OK(open("/dev/zero", O_RDWR));
    int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int *own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(shared != MAP_FAILED && own != MAP_FAILED);
    CHECK_EQ(*shared, 0);
    pid_t pid;
    CHILD(pid) *shared = *own = 7;
    CHECK_EXIT(pid, 0);
    CHECK_EQ(*shared, 7);
    CHECK_EQ(*own, 0);
    fd = CHECK_OK(open("/dev/zero", O_RDONLY));
    void *memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(memory != MAP_FAILED);
    CHECK_ERRNO(mprotect(memory, 4096, PROT_WRITE), EACCES);
    return 0;
}
