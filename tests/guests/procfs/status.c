// /proc/self/status: names, ids, threads, signal masks.
#include "check.h"

static char text[8192];
static const char *field(const char *name) {
    char key[64];
    snprintf(key, sizeof key, "\n%s:\t", name);
    const char *at = strstr(text, key);
    CHECK(at);
    return at + strlen(key);
}
static void handler(int sig) {}

int main(void) {
    on_signal(SIGUSR1, handler, 0);
    signal(SIGUSR2, SIG_IGN);
    block_signal(SIG_BLOCK, SIGTERM);
    CHECK_OK(kill(getpid(), SIGTERM));
    read_file("/proc/self/status", text, sizeof text);
    CHECK(!strncmp(text, "Name:\tstatus\n", 13) || !strncmp(text, "Name:\t", 6));
    CHECK_EQ(field("State")[0], 'R');
    CHECK_EQ(atoi(field("Pid")), getpid());
    CHECK_EQ(atoi(field("Tgid")), getpid());
    CHECK_EQ(atoi(field("PPid")), getppid());
    CHECK_EQ(atoi(field("Threads")), 1);
    unsigned real, effective;
    CHECK_EQ(sscanf(field("Uid"), "%u\t%u", &real, &effective), 2);
    CHECK(real == getuid() && effective == geteuid());
    CHECK(strtoull(field("SigBlk"), NULL, 16) & 1ull << (SIGTERM - 1));
    CHECK(strtoull(field("ShdPnd"), NULL, 16) & 1ull << (SIGTERM - 1));
    CHECK(strtoull(field("SigCgt"), NULL, 16) & 1ull << (SIGUSR1 - 1));
    CHECK(strtoull(field("SigIgn"), NULL, 16) & 1ull << (SIGUSR2 - 1));
    CHECK(atol(field("VmRSS")) > 0);
    CHECK(atol(field("VmSize")) >= atol(field("VmRSS")));
    return 0;
}
