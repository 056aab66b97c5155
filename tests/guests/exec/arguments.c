// exec hands over arguments and environment as they are, empty ones and long ones too.
#include "check.h"

extern char **environ;

int main(int argc, char **argv) {
    if (argc > 1) {
        CHECK_EQ(argc, 5);
        CHECK_STR(argv[0], "any name");
        CHECK_STR(argv[2], "");
        CHECK_STR(argv[3], "with space \n and \x80");
        CHECK_EQ(strlen(argv[4]), 100000);
        CHECK(!argv[5]);
        CHECK_STR(getenv("ONE"), "1=2");
        CHECK_STR(getenv("EMPTY"), "");
        int count = 0;
        while (environ[count]) count++;
        CHECK_EQ(count, 2);
        return 0;
    }
    pid_t pid;
    CHILD(pid) {
        char *big = malloc(100001);
        memset(big, 'b', 100000);
        big[100000] = 0;
        char *words[] = {"any name", "child", "", "with space \n and \x80", big, NULL};
        char *environment[] = {"ONE=1=2", "EMPTY=", NULL};
        CHECK_OK(execve("/proc/self/exe", words, environment));
    }
    CHECK_EXIT(pid, 0);
    // One string may have 128 KiB; all together a quarter of the stack's limit.
    char *huge = malloc(140000);
    memset(huge, 'h', 139999);
    huge[139999] = 0;
    char *words[] = {"x", huge, NULL};
    CHECK_ERRNO(execve("/proc/self/exe", words, environ), E2BIG);
    char **many = calloc(200, sizeof *many);
    huge[120000] = 0;
    for (int i = 0; i < 199; i++) many[i] = huge;
    CHECK_ERRNO(execve("/proc/self/exe", many, environ), E2BIG);
    return 0;
}
