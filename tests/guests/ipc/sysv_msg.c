// System V message queues: types, order, truncation, waiting, removal.
#include "check.h"
#include <sys/ipc.h>
#include <sys/msg.h>

static struct { long type; char text[64]; } message;
static int id;
static int send(long type, const char *text, int flags) {
    message.type = type;
    strcpy(message.text, text);
    return msgsnd(id, &message, strlen(text) + 1, flags);
}

int main(void) {
    id = CHECK_OK(msgget(IPC_PRIVATE, IPC_CREAT | 0600));
    CHECK_ERRNO(msgrcv(id, &message, 64, 0, IPC_NOWAIT), ENOMSG);
    CHECK_OK(send(3, "three", 0));
    CHECK_OK(send(1, "one", 0));
    CHECK_OK(send(2, "two", 0));
    CHECK_OK(send(1, "one again", 0));
    CHECK_ERRNO(send(0, "zero", 0), EINVAL);
    CHECK_EQ(msgrcv(id, &message, 64, 1, 0), 4);
    CHECK_STR(message.text, "one");
    CHECK_EQ(msgrcv(id, &message, 64, -2, 0), 10);  // The lowest type up to two.
    CHECK_STR(message.text, "one again");
    CHECK_EQ(msgrcv(id, &message, 64, 3, MSG_EXCEPT), 4);
    CHECK_EQ(message.type, 2);
    CHECK_ERRNO(msgrcv(id, &message, 3, 0, 0), E2BIG);
    CHECK_EQ(msgrcv(id, &message, 3, 0, MSG_NOERROR), 3);
    struct msqid_ds ds;
    CHECK_OK(msgctl(id, IPC_STAT, &ds));
    CHECK_EQ(ds.msg_qnum, 0);
    CHECK_EQ(ds.msg_lspid, getpid());
    pid_t pid;
    CHILD(pid) {
        sleep_ms(10);
        CHECK_OK(send(7, "from the child", 0));
    }
    CHECK_EQ(msgrcv(id, &message, 64, 7, 0), 15);
    CHECK_EXIT(pid, 0);
    int count = 0;
    while (send(1, "fills the queue until there is no more room in it", IPC_NOWAIT) == 0) count++;
    CHECK_EQ(errno, EAGAIN);
    CHECK(count > 10);
    CHILD(pid) CHECK_ERRNO(msgrcv(id, &message, 64, 99, 0), EIDRM);
    sleep_ms(20);
    CHECK_OK(msgctl(id, IPC_RMID, NULL));
    int status = wait_status(pid);
    // The child may have come too late, and found no queue at all.
    CHECK(WIFEXITED(status));
    CHECK_ERRNO(send(1, "x", 0), EINVAL);
    return 0;
}
