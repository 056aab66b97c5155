// What an inotify descriptor watches is in its fdinfo.
#include "check.h"
#include <sys/inotify.h>

int main(void) {
    enter_tmp();
    write_file("file", "");
    int fd = CHECK_OK(inotify_init1(0));
    int wd = CHECK_OK(inotify_add_watch(fd, "file", IN_MODIFY | IN_ONESHOT));
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    read_file(path, text, sizeof text);
    char *row = strstr(text, "inotify ");
    CHECK(row);
    int shown;
    unsigned long inode, device, mask;
    CHECK_EQ(sscanf(row, "inotify wd:%d ino:%lx sdev:%lx mask:%lx", &shown, &inode, &device, &mask), 4);
    CHECK_EQ(shown, wd);
    struct stat st;
    CHECK_OK(stat("file", &st));
    CHECK_EQ(inode, st.st_ino);
    CHECK_EQ(mask, (unsigned)(IN_MODIFY | IN_ONESHOT));
    return 0;
}
