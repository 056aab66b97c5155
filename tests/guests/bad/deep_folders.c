// Folders nested deeper than any path is long.
#include "check.h"

int main(void) {
    enter_tmp();
    char name[201], cwd[PATH_MAX * 2];
    memset(name, 'n', 200);
    name[200] = 0;
    for (int i = 0; i < 30; i++) {  // Six thousand letters: more than PATH_MAX.
        CHECK_OK(mkdir(name, 0755));
        CHECK_OK(chdir(name));
    }
    CHECK_ERRNO(syscall(SYS_getcwd, cwd, PATH_MAX), ENAMETOOLONG);
    write_file("at-the-bottom", "x");
    CHECK_OK(unlink("at-the-bottom"));
    for (int i = 0; i < 30; i++) {
        CHECK_OK(chdir(".."));
        CHECK_OK(rmdir(name));
    }
    CHECK(getcwd(cwd, sizeof cwd));
    CHECK_STR(cwd, check_tmp);
    return 0;
}
