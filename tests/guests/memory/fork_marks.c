// What a child of fork gets of memory that was marked: zeros, nothing, or a copy.
#include "check.h"

int main(void) {
    char *wiped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *absent = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(wiped != MAP_FAILED && absent != MAP_FAILED);
    strcpy(wiped, "first");
    strcpy(wiped + 4096, "second");
    CHECK_OK(madvise(wiped, 4096, MADV_WIPEONFORK));
    CHECK_OK(madvise(absent, 4096, MADV_DONTFORK));
    char *shared = shared_memory(4096);
    CHECK_ERRNO(madvise(shared, 4096, MADV_WIPEONFORK), EINVAL);
    pid_t pid;
    CHILD(pid) {
        CHECK_STR(wiped, "");
        CHECK_STR(wiped + 4096, "second");
        CHECK_ERRNO(madvise(absent, 4096, MADV_NORMAL), ENOMEM);
        // The mark is inherited, and the page is one's own.
        strcpy(wiped, "child");
        pid_t grandchild;
        CHILD(grandchild) CHECK_STR(wiped, "");
        CHECK_EXIT(grandchild, 0);
        CHECK_STR(wiped, "child");
    }
    CHECK_EXIT(pid, 0);
    CHECK_STR(wiped, "first");
    CHECK_OK(madvise(wiped, 4096, MADV_KEEPONFORK));
    CHECK_OK(madvise(absent, 4096, MADV_DOFORK));
    strcpy(absent, "here");
    CHILD(pid) {
        CHECK_STR(wiped, "first");
        CHECK_STR(absent, "here");
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
