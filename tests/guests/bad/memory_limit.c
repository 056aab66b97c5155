// Memory until there is no more: ENOMEM at the limit, and all is well when it has been given back.
#include "check.h"

int main(void) {
    struct rlimit limit = {256 << 20, 256 << 20};
    CHECK_OK(setrlimit(RLIMIT_AS, &limit));
    void *blocks[1000];
    int count = 0;
    while (count < 1000 && (blocks[count] = malloc(1 << 20))) count++;
    CHECK(count > 100 && count < 256);
    CHECK_EQ(errno, ENOMEM);
    CHECK_ERRNO((long)mmap(NULL, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    for (int i = 0; i < count; i++) free(blocks[i]);
    char *again = malloc(100 << 20);
    CHECK(again);
    memset(again, 1, 100 << 20);
    free(again);
    CHECK_ERRNO((long)sbrk(300 << 20), ENOMEM);
    pid_t pid;
    CHILD(pid) {
        CHECK(!malloc(300 << 20));  // The limit is inherited.
        limit = (struct rlimit){1 << 20, 1 << 20};
        CHECK_OK(setrlimit(RLIMIT_DATA, &limit));
    }
    CHECK_EXIT(pid, 0);
    return 0;
}
