// mkdir, its link counts, its errors.
#include "check.h"

int main(void) {
    enter_tmp();
    CHECK_OK(mkdir("d", 0755));
    CHECK_ERRNO(mkdir("d", 0755), EEXIST);
    CHECK_ERRNO(mkdir("none/d", 0755), ENOENT);
    write_file("f", "");
    CHECK_ERRNO(mkdir("f", 0755), EEXIST);
    CHECK_ERRNO(mkdir("f/d", 0755), ENOTDIR);
    CHECK_ERRNO(mkdir("", 0755), ENOENT);
    CHECK_ERRNO(mkdir(".", 0755), EEXIST);
    CHECK_ERRNO(mkdir("/", 0755), EEXIST);
    CHECK_OK(mkdir("d/trailing/", 0755));
    CHECK_OK(symlink("dangling", "l"));
    CHECK_ERRNO(mkdir("l", 0755), EEXIST);
    struct stat st;
    CHECK_OK(stat("d/trailing", &st));
    CHECK(S_ISDIR(st.st_mode));
    CHECK_OK(mkdirat(AT_FDCWD, "at", 0700));
    // Twenty deep, and back out by dots.
    char path[256] = ".";
    for (int i = 0; i < 20; i++) {
        strcat(path, "/deep");
        CHECK_OK(mkdir(path, 0755));
    }
    strcat(path, "/../../..");
    CHECK_OK(stat(path, &st));
    return 0;
}
