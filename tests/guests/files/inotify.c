// inotify tells of what happens in a folder, in order.
#include "check.h"
#include <poll.h>
#include <sys/inotify.h>

static char buffer[8192] __attribute__((aligned(8)));
static char *next, *end;
static int fd;

static struct inotify_event *event(void) {
    if (next == end) {
        next = buffer;
        end = buffer + CHECK_OK(read(fd, buffer, sizeof buffer));
    }
    struct inotify_event *got = (void *)next;
    next += sizeof *got + got->len;
    return got;
}

static struct inotify_event *expect(int watch, uint32_t mask, const char *name) {
    struct inotify_event *got = event();
    CHECK_EQ(got->wd, watch);
    CHECK_EQ(got->mask, mask);
    CHECK_STR(got->len ? got->name : "", name);
    return got;
}

int main(void) {
    enter_tmp();
    CHECK_OK(mkdir("d", 0755));
    fd = CHECK_OK(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_ERRNO(read(fd, buffer, sizeof buffer), EAGAIN);
    int watch = CHECK_OK(inotify_add_watch(fd, "d", IN_CREATE | IN_MODIFY | IN_DELETE | IN_MOVE | IN_CLOSE_WRITE));
    write_file("d/f", "x");
    struct pollfd ready = {fd, POLLIN, 0};
    CHECK_EQ(poll(&ready, 1, 1000), 1);
    expect(watch, IN_CREATE, "f");
    expect(watch, IN_MODIFY, "f");
    expect(watch, IN_CLOSE_WRITE, "f");
    CHECK_OK(rename("d/f", "d/g"));
    uint32_t cookie = expect(watch, IN_MOVED_FROM, "f")->cookie;
    CHECK_EQ(expect(watch, IN_MOVED_TO, "g")->cookie, cookie);
    CHECK(cookie);
    CHECK_OK(mkdir("d/sub", 0755));
    expect(watch, IN_CREATE | IN_ISDIR, "sub");
    CHECK_OK(unlink("d/g"));
    expect(watch, IN_DELETE, "g");
    CHECK_OK(rmdir("d/sub"));
    expect(watch, IN_DELETE | IN_ISDIR, "sub");
    CHECK_OK(inotify_rm_watch(fd, watch));
    expect(watch, IN_IGNORED, "");
    CHECK_ERRNO(inotify_rm_watch(fd, watch), EINVAL);
    CHECK_ERRNO(inotify_add_watch(fd, "none", IN_CREATE), ENOENT);

    // A watch on a file, and its end when the file goes.
    write_file("f", "");
    watch = CHECK_OK(inotify_add_watch(fd, "f", IN_DELETE_SELF | IN_ATTRIB));
    CHECK_OK(unlink("f"));
    expect(watch, IN_ATTRIB, "");
    expect(watch, IN_DELETE_SELF, "");
    expect(watch, IN_IGNORED, "");
    CHECK_ERRNO(read(fd, buffer, sizeof buffer), EAGAIN);
    return 0;
}
