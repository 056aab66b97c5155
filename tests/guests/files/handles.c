// Files by handles: what a handle is of is opened whatever its name is now, and not when it has none.
#include "check.h"

int main(void) {
    enter_tmp();
    write_file("file", "text");
    struct {
        struct file_handle head;
        char room[64];
    } handle = {.head.handle_bytes = 0};
    int mount = -1, wrong;
    CHECK_ERRNO(name_to_handle_at(AT_FDCWD, "file", &handle.head, &mount, 0), EOVERFLOW);
    CHECK(handle.head.handle_bytes > 0 && handle.head.handle_bytes <= sizeof handle.room);
    CHECK_OK(name_to_handle_at(AT_FDCWD, "file", &handle.head, &mount, 0));
    CHECK_ERRNO(name_to_handle_at(AT_FDCWD, "none", &handle.head, &wrong, 0), ENOENT);
    CHECK_ERRNO(name_to_handle_at(AT_FDCWD, "", &handle.head, &wrong, 0), ENOENT);
    CHECK_ERRNO(name_to_handle_at(-1, "file", &handle.head, &wrong, 0), EBADF);
    CHECK_ERRNO(name_to_handle_at(AT_FDCWD, "file", &handle.head, &wrong, -1), EINVAL);
    handle.head.handle_bytes = MAX_HANDLE_SZ + 1;
    CHECK_ERRNO(name_to_handle_at(AT_FDCWD, "file", &handle.head, &wrong, 0), EINVAL);
    handle.head.handle_bytes = sizeof handle.room;
    CHECK_OK(name_to_handle_at(AT_FDCWD, "file", &handle.head, &mount, 0));

    pid_t pid;
    CHILD(pid) {
        if (geteuid() == 0) CHECK_OK(setuid(65534));
        CHECK_ERRNO(open_by_handle_at(AT_FDCWD, &handle.head, O_RDONLY), EPERM);
    }
    CHECK_EXIT(pid, 0);
    if (geteuid() != 0) return 0;
    CHECK_OK(rename("file", "renamed"));
    int fd = open_by_handle_at(AT_FDCWD, &handle.head, O_RDWR);
    if (fd < 0 && errno == EPERM) return 0;  // Root, without the right.
    CHECK_OK(fd);
    struct stat by_handle, by_name;
    CHECK_OK(fstat(fd, &by_handle));
    CHECK_OK(stat("renamed", &by_name));
    CHECK_EQ(by_handle.st_ino, by_name.st_ino);
    CHECK_EQ(write(fd, "T", 1), 1);
    CHECK_OK(close(fd));
    char text[8];
    read_file("renamed", text, sizeof text);
    CHECK_STR(text, "Text");
    CHECK_ERRNO(open_by_handle_at(AT_FDCWD, &handle.head, O_RDONLY | O_DIRECTORY), ENOTDIR);
    handle.head.handle_bytes = 0;
    CHECK_ERRNO(open_by_handle_at(AT_FDCWD, &handle.head, O_RDONLY), EINVAL);
    // The handle is looked at before the descriptor.
    CHECK_ERRNO(open_by_handle_at(-1, &handle.head, O_RDONLY), EINVAL);
    handle.head.handle_bytes = sizeof handle.room;
    CHECK_ERRNO(open_by_handle_at(-1, &handle.head, O_RDONLY), EBADF);
    CHECK_OK(name_to_handle_at(AT_FDCWD, "renamed", &handle.head, &mount, 0));
    CHECK_OK(unlink("renamed"));
    // Linux varies: ext4 says ENOMEM while somebody makes a file that gets the inode's number (iget_locked gives nothing for such).
    CHECK(open_by_handle_at(AT_FDCWD, &handle.head, O_RDONLY) < 0 && (errno == ESTALE || errno == ENOMEM));
    return 0;
}
