// openat2, where the kernel has it: what may be passed on the way to the file.
#include "check.h"
#include <linux/openat2.h>

static int open_how(int dir, const char *path, int flags, int resolve) {
    struct open_how how = {.flags = flags, .resolve = resolve};
    return syscall(SYS_openat2, dir, path, &how, sizeof how);
}

int main(void) {
    enter_tmp();
    CHECK_OK(mkdir("d", 0755));
    write_file("d/f", "x");
    CHECK_OK(symlink("f", "d/l"));
    int dir = CHECK_OK(open("d", O_RDONLY | O_DIRECTORY)), fd = open_how(dir, "f", O_RDONLY, 0);
    if (fd < 0 && errno == ENOSYS) return 0;
    CHECK(fd >= 0);
    CHECK_OK(open_how(dir, "l", O_RDONLY, 0));
    CHECK_ERRNO(open_how(dir, "l", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
    CHECK_ERRNO(open_how(dir, "../d/f", O_RDONLY, RESOLVE_BENEATH), EXDEV);
    CHECK_ERRNO(open_how(dir, "/etc", O_RDONLY, RESOLVE_BENEATH), EXDEV);
    CHECK_OK(open_how(dir, "/f", O_RDONLY, RESOLVE_IN_ROOT));
    CHECK_OK(open_how(dir, "../../f", O_RDONLY, RESOLVE_IN_ROOT));
    CHECK_ERRNO(open_how(dir, "f", 1 << 30, 0), EINVAL);  // Unlike open it looks at unknown flags.
    CHECK_ERRNO(open_how(dir, "f", O_RDONLY, 0x1000), EINVAL);
    struct open_how how = {.flags = O_RDONLY, .mode = 0600};
    CHECK_ERRNO(syscall(SYS_openat2, dir, "f", &how, sizeof how), EINVAL);
    CHECK_ERRNO(syscall(SYS_openat2, dir, "f", &how, 8L), EINVAL);
    return 0;
}
