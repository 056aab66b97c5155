// Calls that make durable, on objects of the wrong kind and on descriptors that may not do the rest.
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

int main(void) {
    enter_tmp();
    int fd = CHECK_OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(write(fd, "text", 4), 4);
    // A descriptor that only reads may sync; one that only names may not.
    int reader = CHECK_OK(open("f", O_RDONLY));
    CHECK_OK(fsync(reader));
    CHECK_OK(fdatasync(reader));
    CHECK_OK(sync_file_range(reader, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
    int path = CHECK_OK(open("f", O_PATH));
    CHECK_ERRNO(fsync(path), EBADF);
    CHECK_ERRNO(fdatasync(path), EBADF);
    CHECK_ERRNO(syncfs(path), EBADF);
    CHECK_ERRNO(sync_file_range(path, 0, 0, 0), EBADF);

    int pair[2];
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    int event = CHECK_OK(eventfd(0, 0));
    int epoll = CHECK_OK(epoll_create1(0));
    int others[] = {pair[0], event, epoll};
    for (int i = 0; i < 3; i++) {
        CHECK_ERRNO(fsync(others[i]), EINVAL);
        CHECK_ERRNO(fdatasync(others[i]), EINVAL);
        CHECK_ERRNO(sync_file_range(others[i], 0, 0, 0), ESPIPE);
    }
    CHECK_ERRNO(sync_file_range(fd, -1, 0, 0), EINVAL);
    CHECK_ERRNO(sync_file_range(fd, 0, -1, 0), EINVAL);
    CHECK_OK(sync_file_range(fd, 1 << 20, 0, SYNC_FILE_RANGE_WRITE));
    int dir = CHECK_OK(open(".", O_RDONLY | O_DIRECTORY));
    CHECK_OK(fdatasync(dir));
    CHECK_OK(syncfs(dir));
    sync();
    // A file without a name is synced as others are.
    CHECK_OK(unlink("f"));
    CHECK_OK(fsync(fd));
    return 0;
}
