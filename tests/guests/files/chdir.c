// chdir, fchdir and getcwd; a process's own, shared by its threads.
#include "check.h"

static void *elsewhere(void *path) {
    CHECK_OK(chdir(path));
    return NULL;
}

int main(void) {
    enter_tmp();
    char cwd[PATH_MAX], again[PATH_MAX], path[PATH_MAX];
    CHECK(getcwd(cwd, sizeof cwd));
    CHECK_STR(cwd, check_tmp);
    CHECK_OK(mkdir("d", 0755));
    CHECK_OK(mkdir("d/e", 0755));
    CHECK_OK(chdir("d/e"));
    CHECK(getcwd(again, sizeof again));
    snprintf(path, sizeof path, "%.4000s/d/e", cwd);
    CHECK_STR(again, path);
    CHECK(!getcwd(again, 3));
    CHECK_EQ(errno, ERANGE);
    CHECK_EQ(syscall(SYS_getcwd, again, sizeof again), strlen(path) + 1);
    int up = CHECK_OK(open("../..", O_RDONLY));
    CHECK_OK(fchdir(up));
    CHECK(getcwd(again, sizeof again));
    CHECK_STR(again, cwd);
    write_file("f", "");
    CHECK_ERRNO(chdir("f"), ENOTDIR);
    CHECK_ERRNO(chdir("none"), ENOENT);
    int fd = CHECK_OK(open("f", O_RDONLY));
    CHECK_ERRNO(fchdir(fd), ENOTDIR);
    CHECK_ERRNO(fchdir(9999), EBADF);
    // A symbolic link's name does not show.
    CHECK_OK(symlink("d", "l"));
    CHECK_OK(chdir("l"));
    CHECK(getcwd(again, sizeof again));
    CHECK(again[strlen(again) - 1] == 'd');
    CHECK_OK(chdir(".."));
    pid_t pid;
    CHILD(pid) CHECK_OK(chdir("/"));
    CHECK_EXIT(pid, 0);
    CHECK(getcwd(again, sizeof again));
    CHECK_STR(again, cwd);
    thread_join(thread_start(elsewhere, "d"));
    CHECK_OK(access("e", F_OK));

    // A removed working directory has no name.
    CHECK_OK(chdir("e"));
    CHECK_OK(rmdir("../e"));
    CHECK(!getcwd(again, sizeof again));
    CHECK_EQ(errno, ENOENT);
    CHECK_ERRNO(open("new", O_CREAT | O_WRONLY, 0600), ENOENT);
    CHECK_OK(chdir("/"));
    return 0;
}
