// renameat2: no-replace and exchange.
#include "check.h"

int main(void) {
    enter_tmp();
    write_file("a", "A");
    write_file("b", "B");
    CHECK_ERRNO(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE), EEXIST);
    CHECK_OK(renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE));
    CHECK_OK(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", RENAME_EXCHANGE));
    char text[4];
    read_file("b", text, sizeof text);
    CHECK_STR(text, "A");
    read_file("c", text, sizeof text);
    CHECK_STR(text, "B");
    CHECK_OK(mkdir("d", 0755));
    write_file("d/x", "X");
    CHECK_OK(renameat2(AT_FDCWD, "b", AT_FDCWD, "d", RENAME_EXCHANGE));
    read_file("b/x", text, sizeof text);
    CHECK_STR(text, "X");
    CHECK_ERRNO(renameat2(AT_FDCWD, "b", AT_FDCWD, "none", RENAME_EXCHANGE), ENOENT);
    CHECK_ERRNO(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL);
    CHECK_ERRNO(renameat2(AT_FDCWD, "b", AT_FDCWD, "c", 0x80), EINVAL);
    return 0;
}
