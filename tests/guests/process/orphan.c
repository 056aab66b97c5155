// An orphan gets another parent, the nearest subreaper, which can wait for it.
#include "check.h"
#include <sys/prctl.h>

int main(void) {
    int pipes[2];
    CHECK_OK(pipe(pipes));
    pid_t child, grandchild, me = getpid();
    // Without a subreaper here the orphan goes elsewhere.
    CHILD(child) {
        pid_t middle = getpid();
        CHILD(grandchild) {
            WAIT_UNTIL(getppid() != middle);
            pid_t parent = getppid();
            CHECK_EQ(write(pipes[1], &parent, sizeof parent), sizeof parent);
        }
    }
    CHECK_EXIT(child, 0);
    pid_t parent;
    CHECK_EQ(read(pipes[0], &parent, sizeof parent), sizeof parent);
    CHECK(parent != child);
    CHECK(parent != me || me == 1);  // The first process of all gets them anyway.
    if (parent == me) CHECK_OK(wait(NULL));

    CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
    int set = 0;
    CHECK_OK(prctl(PR_GET_CHILD_SUBREAPER, &set));
    CHECK_EQ(set, 1);
    CHILD(child) {
        CHECK_OK(prctl(PR_GET_CHILD_SUBREAPER, &set));
        CHECK_EQ(set, 0);  // Not inherited.
        pid_t middle = getpid();
        CHILD(grandchild) {
            WAIT_UNTIL(getppid() != middle);
            CHECK_EQ(getppid(), me);
            _exit(21);
        }
        CHECK_EQ(write(pipes[1], &grandchild, sizeof grandchild), sizeof grandchild);
    }
    CHECK_EXIT(child, 0);
    CHECK_EQ(read(pipes[0], &grandchild, sizeof grandchild), sizeof grandchild);
    CHECK_EXIT(grandchild, 21);
    CHECK_ERRNO(wait(NULL), ECHILD);
    return 0;
}
