// A directory's watchers hear of its files by name: opens, writes, renames with cookies, ends.
#include "check.h"
#include <sys/inotify.h>

static int in;

// The next event must be this one; returns its cookie.
static unsigned expect(int line, int watch, unsigned mask, const char *name) {
    static char buffer[4096] __attribute__((aligned(8)));
    static ssize_t length, at;
    if (at >= length) {
        at = 0;
        length = read(in, buffer, sizeof buffer);
        if (length <= 0) FAIL("line %d: no event", line);
    }
    struct inotify_event *event = (void *)(buffer + at);
    at += sizeof *event + event->len;
    const char *got = event->len ? event->name : "";
    if (event->wd != watch || event->mask != mask || strcmp(got, name))
        FAIL("line %d: watch %d mask %#x name \"%s\"", line, event->wd, event->mask, got);
    return event->cookie;
}
#define EXPECT(...) expect(__LINE__, __VA_ARGS__)

int main(void) {
    enter_tmp();
    CHECK_OK(mkdir("a", 0700));
    CHECK_OK(mkdir("b", 0700));
    in = CHECK_OK(inotify_init1(IN_NONBLOCK));
    int a = CHECK_OK(inotify_add_watch(in, "a", IN_ALL_EVENTS)), b = CHECK_OK(inotify_add_watch(in, "b", IN_ALL_EVENTS));
    int fd = CHECK_OK(open("a/f", O_CREAT | O_RDWR, 0600));
    EXPECT(a, IN_CREATE, "f");
    EXPECT(a, IN_OPEN, "f");
    CHECK_EQ(write(fd, "x", 1), 1);
    EXPECT(a, IN_MODIFY, "f");
    char byte;
    CHECK_EQ(pread(fd, &byte, 1, 0), 1);
    EXPECT(a, IN_ACCESS, "f");
    // The name that it has by then, and not the one by which it was opened.
    CHECK_OK(rename("a/f", "b/g"));
    unsigned cookie = EXPECT(a, IN_MOVED_FROM, "f");
    CHECK(cookie != 0);
    CHECK_EQ(EXPECT(b, IN_MOVED_TO, "g"), cookie);
    int g = CHECK_OK(inotify_add_watch(in, "b/g", IN_ATTRIB | IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF));
    CHECK_EQ(write(fd, "x", 1), 1);
    EXPECT(b, IN_MODIFY, "g");
    EXPECT(g, IN_MODIFY, "");
    CHECK_OK(rename("b/g", "b/h"));
    CHECK(EXPECT(b, IN_MOVED_FROM, "g") != cookie);
    EXPECT(b, IN_MOVED_TO, "h");
    EXPECT(g, IN_MOVE_SELF, "");
    // Its end comes with its last descriptor.
    CHECK_OK(unlink("b/h"));
    EXPECT(g, IN_ATTRIB, "");
    EXPECT(b, IN_DELETE, "h");
    CHECK_OK(close(fd));
    EXPECT(b, IN_CLOSE_WRITE, "h");
    EXPECT(g, IN_DELETE_SELF, "");
    EXPECT(g, IN_IGNORED, "");
    CHECK_OK(mkdir("a/d", 0700));
    EXPECT(a, IN_CREATE | IN_ISDIR, "d");
    CHECK_OK(chmod("a/d", 0500));
    EXPECT(a, IN_ATTRIB | IN_ISDIR, "d");
    CHECK_OK(rmdir("a/d"));
    EXPECT(a, IN_DELETE | IN_ISDIR, "d");
    CHECK_ERRNO(read(in, &byte, 1), EAGAIN);
    return 0;
}
