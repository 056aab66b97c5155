// Named pipes: opening waits for the other side; O_NONBLOCK does not.
#include "check.h"

int main(void) {
    enter_tmp();
    CHECK_OK(mkfifo("p", 0600));
    CHECK_ERRNO(mkfifo("p", 0600), EEXIST);
    CHECK_ERRNO(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
    int reader = CHECK_OK(open("p", O_RDONLY | O_NONBLOCK));
    int writer = CHECK_OK(open("p", O_WRONLY | O_NONBLOCK));
    char text[16];
    CHECK_ERRNO(read(reader, text, 1), EAGAIN);
    CHECK_EQ(write(writer, "x", 1), 1);
    CHECK_OK(close(writer));
    CHECK_EQ(read(reader, text, 16), 1);
    CHECK_EQ(read(reader, text, 16), 0);
    CHECK_OK(close(reader));

    int *stage = shared_memory(4096);
    pid_t pid;
    CHILD(pid) {
        sleep_ms(20);
        __atomic_store_n(stage, 1, __ATOMIC_SEQ_CST);
        int fd = CHECK_OK(open("p", O_WRONLY));
        CHECK_EQ(write(fd, "hello", 5), 5);
    }
    reader = CHECK_OK(open("p", O_RDONLY));
    CHECK_EQ(__atomic_load_n(stage, __ATOMIC_SEQ_CST), 1);
    CHECK_EQ(read(reader, text, 16), 5);
    CHECK_EQ(read(reader, text, 16), 0);
    CHECK_EXIT(pid, 0);
    // Opened for both, it never ends and never waits.
    int both = CHECK_OK(open("p", O_RDWR));
    CHECK_EQ(write(both, "loop", 4), 4);
    CHECK_EQ(read(both, text, 16), 4);
    CHECK_OK(unlink("p"));
    return 0;
}
