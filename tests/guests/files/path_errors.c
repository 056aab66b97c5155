// Names: too long, through files, trailing slashes, dots, doubled slashes.
#include "check.h"

int main(void) {
    enter_tmp();
    struct stat st, again;
    char name[300];
    memset(name, 'n', sizeof name);
    name[255] = 0;
    CHECK_OK(close(CHECK_OK(open(name, O_CREAT | O_WRONLY, 0600))));
    CHECK_OK(stat(name, &st));
    name[255] = 'n', name[256] = 0;
    CHECK_ERRNO(open(name, O_CREAT | O_WRONLY, 0600), ENAMETOOLONG);
    CHECK_ERRNO(stat(name, &st), ENAMETOOLONG);

    char path[PATH_MAX + 16];
    for (int i = 0; i < PATH_MAX + 16; i += 2) memcpy(path + i, "./", 2);
    path[PATH_MAX - 1] = 0;
    CHECK_OK(stat(path, &st));
    path[PATH_MAX - 1] = '/', path[PATH_MAX] = 0;
    CHECK_ERRNO(stat(path, &st), ENAMETOOLONG);

    write_file("f", "");
    CHECK_ERRNO(stat("f/", &st), ENOTDIR);
    CHECK_ERRNO(stat("f/.", &st), ENOTDIR);
    CHECK_ERRNO(open("f/x", O_CREAT | O_WRONLY, 0600), ENOTDIR);
    CHECK_ERRNO(open("new/", O_CREAT | O_WRONLY, 0600), EISDIR);
    CHECK_OK(mkdir("d", 0755));
    CHECK_OK(stat("d/", &st));
    CHECK_OK(stat(".//d/./../d///", &again));
    CHECK_EQ(st.st_ino, again.st_ino);
    CHECK_OK(symlink("d", "l"));
    CHECK_OK(lstat("l/", &again));  // A slash follows the link.
    CHECK_EQ(st.st_ino, again.st_ino);
    CHECK_OK(stat("/", &st));
    CHECK_OK(stat("/..", &again));
    CHECK_EQ(st.st_ino, again.st_ino);
    CHECK_ERRNO(stat("none/../d", &st), ENOENT);
    CHECK_ERRNO(open("d", O_CREAT | O_RDWR, 0600), EISDIR);
    return 0;
}
