// The umask is taken off modes at creation; children inherit it, and it survives exec.
#include "check.h"

static int mode(const char *path) {
    struct stat st;
    CHECK_OK(stat(path, &st));
    return st.st_mode & 07777;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        CHECK_EQ(umask(0), 0137);
        return 0;
    }
    enter_tmp();
    umask(027);
    CHECK_EQ(umask(027), 027);
    CHECK_OK(close(CHECK_OK(open("f", O_CREAT | O_WRONLY, 0777))));
    CHECK_EQ(mode("f"), 0750);
    CHECK_OK(mkdir("d", 0777));
    CHECK_EQ(mode("d"), 0750);
    CHECK_OK(mkfifo("p", 0666));
    CHECK_EQ(mode("p"), 0640);
    CHECK_OK(chmod("f", 0777));  // chmod does not look at it.
    CHECK_EQ(mode("f"), 0777);
    umask(07777 & 0137);
    pid_t pid;
    CHILD(pid) {
        CHECK_OK(execl("/proc/self/exe", argv[0], "child", NULL));
    }
    CHECK_EXIT(pid, 0);
    CHILD(pid) umask(0);
    CHECK_EXIT(pid, 0);
    CHECK_EQ(umask(0), 0137);  // The child's is its own.
    return 0;
}
