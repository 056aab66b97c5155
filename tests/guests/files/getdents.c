// Reading a folder: every name once, kinds right, also with the raw call and small buffers.
#include "check.h"
#include <dirent.h>

struct dirent_raw {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
};

int main(void) {
    enter_tmp();
    char name[32];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "file-%03d", i);
        write_file(name, "");
    }
    CHECK_OK(mkdir("sub", 0755));
    CHECK_OK(symlink("sub", "link"));
    CHECK_OK(mkfifo("fifo", 0600));

    bool seen[300] = {0};
    int dots = 0, others = 0, files = 0;
    int fd = CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
    char buffer[512] __attribute__((aligned(8)));
    long got;
    while ((got = CHECK_OK(syscall(SYS_getdents64, fd, buffer, sizeof buffer))) > 0) {
        for (long at = 0; at < got;) {
            struct dirent_raw *entry = (void *)(buffer + at);
            CHECK_EQ(entry->reclen % 8, 0);
            CHECK(entry->ino);
            int number;
            if (!strcmp(entry->name, ".") || !strcmp(entry->name, "..")) {
                CHECK_EQ(entry->type, DT_DIR);
                dots++;
            } else if (sscanf(entry->name, "file-%d", &number) == 1) {
                CHECK_EQ(entry->type, DT_REG);
                CHECK(!seen[number]);
                seen[number] = true;
                files++;
            } else {
                CHECK_EQ(entry->type, !strcmp(entry->name, "sub") ? DT_DIR : !strcmp(entry->name, "link") ? DT_LNK : DT_FIFO);
                others++;
            }
            at += entry->reclen;
        }
    }
    CHECK_EQ(dots, 2);
    CHECK_EQ(files, 300);
    CHECK_EQ(others, 3);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK(syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_ERRNO(syscall(SYS_getdents64, fd, buffer, 8), EINVAL);
    int plain = CHECK_OK(open("file-000", O_RDONLY));
    CHECK_ERRNO(syscall(SYS_getdents64, plain, buffer, sizeof buffer), ENOTDIR);
    return 0;
}
