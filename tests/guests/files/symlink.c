// Symbolic links: targets kept as written, loops found.
#include "check.h"

int main(void) {
    enter_tmp();
    write_file("f", "x");
    CHECK_OK(symlink("./../weird//target", "l"));
    char target[64];
    ssize_t length = CHECK_OK(readlink("l", target, sizeof target));
    CHECK_EQ(length, 18);
    CHECK(!memcmp(target, "./../weird//target", 18));
    CHECK_EQ(readlink("l", target, 4), 4);  // Cut without a word.
    CHECK_ERRNO(readlink("l", target, 0), EINVAL);
    CHECK_ERRNO(readlink("f", target, sizeof target), EINVAL);
    CHECK_ERRNO(readlink("g", target, sizeof target), ENOENT);
    CHECK_ERRNO(symlink("", "empty"), ENOENT);
    CHECK_ERRNO(symlink("x", "f"), EEXIST);
    CHECK_ERRNO(symlink("x", ""), ENOENT);

    CHECK_OK(symlink("two", "one"));
    CHECK_OK(symlink("one", "two"));
    CHECK_ERRNO(open("one", O_RDONLY), ELOOP);
    struct stat st;
    CHECK_ERRNO(stat("two", &st), ELOOP);
    CHECK_OK(symlink("self", "self"));
    CHECK_ERRNO(stat("self/x", &st), ELOOP);

    // Forty links in a row are followed, one more is not.
    CHECK_OK(symlink("f", "chain1"));
    char from[16], to[16];
    for (int i = 2; i <= 41; i++) {
        snprintf(from, sizeof from, "chain%d", i);
        snprintf(to, sizeof to, "chain%d", i - 1);
        CHECK_OK(symlink(to, from));
    }
    CHECK_OK(stat("chain40", &st));
    CHECK_ERRNO(stat("chain41", &st), ELOOP);

    CHECK_OK(mkdir("d", 0755));
    CHECK_OK(symlink("d", "ld"));
    write_file("ld/inside", "y");
    CHECK_OK(stat("d/inside", &st));
    CHECK_OK(stat("ld/../f", &st));
    CHECK_ERRNO(rmdir("ld"), ENOTDIR);
    CHECK_OK(unlink("ld"));
    CHECK_OK(stat("d", &st));
    return 0;
}
