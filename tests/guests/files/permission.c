// Mode bits bind a user and let root through; folders need search permission.
#include "check.h"

int main(void) {
    enter_tmp();
    CHECK_OK(chmod(".", 0755));
    write_file("secret", "s");
    CHECK_OK(chmod("secret", 0));
    CHECK_OK(mkdir("closed", 0755));
    write_file("closed/f", "");
    CHECK_OK(chmod("closed", 0));
    pid_t pid;
    CHILD(pid) {
        if (geteuid() == 0) {
            if (setgid(12345) || setuid(12345)) _exit(0);  // A container that forbids it.
            CHECK_ERRNO(open("new", O_CREAT | O_WRONLY, 0600), EACCES);
            CHECK_ERRNO(chmod("secret", 0644), EPERM);
            CHECK_ERRNO(unlink("secret"), EACCES);
        }
        CHECK_ERRNO(open("secret", O_RDONLY), EACCES);
        CHECK_ERRNO(open("secret", O_WRONLY), EACCES);
        CHECK_ERRNO(open("closed/f", O_RDONLY), EACCES);
        CHECK_ERRNO(open("closed", O_RDONLY), EACCES);
        CHECK_ERRNO(chdir("closed"), EACCES);
        CHECK_ERRNO(open("closed/g", O_CREAT | O_WRONLY, 0600), EACCES);
    }
    CHECK_EXIT(pid, 0);
    CHECK_OK(chmod("closed", 0755));
    return 0;
}
