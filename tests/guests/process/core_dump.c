// A core: the flag in the wait status, and an ELF file with the memory of who was ended, as far as the limit lets it.
#include "check.h"
#include <elf.h>
#include <sys/prctl.h>

static char marked[64] = "what the dead knew";

static void die(rlim_t limit) {
    CHECK_OK(setrlimit(RLIMIT_CORE, &(struct rlimit){limit, RLIM_INFINITY}));
    CHECK(signal(SIGQUIT, SIG_DFL) != SIG_ERR);
    raise(SIGQUIT);
}

// Whether the bytes at an address of the process are in its core.
static bool holds(const char *path, const void *address, const char *text) {
    int fd = CHECK_OK(open(path, O_RDONLY));
    Elf64_Ehdr head;
    CHECK_EQ(read(fd, &head, sizeof head), sizeof head);
    CHECK(!memcmp(head.e_ident, ELFMAG, SELFMAG));
    CHECK_EQ(head.e_type, ET_CORE);
    bool found = false, notes = false;
    for (int i = 0; i < head.e_phnum; i++) {
        Elf64_Phdr segment;
        CHECK_EQ(pread(fd, &segment, sizeof segment, head.e_phoff + i * sizeof segment), sizeof segment);
        notes |= segment.p_type == PT_NOTE;
        uintptr_t at = (uintptr_t)address;
        if (segment.p_type != PT_LOAD || at < segment.p_vaddr || at >= segment.p_vaddr + segment.p_filesz) continue;
        char bytes[64] = {0};
        CHECK_OK(pread(fd, bytes, strlen(text), segment.p_offset + (at - segment.p_vaddr)));
        found = !strcmp(bytes, text);
    }
    CHECK(notes);
    CHECK_OK(close(fd));
    return found;
}

static int status_of(pid_t pid) {
    int status = wait_status(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
    return status;
}

int main(void) {
    char pattern[64];
    read_file("/proc/sys/kernel/core_pattern", pattern, sizeof pattern);
    if (strcmp(pattern, "core\n")) return 0;  // Elsewhere cores go elsewhere.
    enter_tmp();
    // What every guest begins with is lifted, if that may be.
    if (setrlimit(RLIMIT_CORE, &(struct rlimit){0, RLIM_INFINITY}) == -1) return 0;
    pid_t pid;
    CHILD(pid) die(0);
    CHECK(!WCOREDUMP(status_of(pid)));
    CHECK_ERRNO(access("core", F_OK), ENOENT);

    CHILD(pid) die(RLIM_INFINITY);
    siginfo_t info;
    CHECK_OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
    CHECK_EQ(info.si_code, CLD_DUMPED);
    CHECK(WCOREDUMP(status_of(pid)));
    char uses_pid[8], name[32] = "core";
    read_file("/proc/sys/kernel/core_uses_pid", uses_pid, sizeof uses_pid);
    if (uses_pid[0] == '1') snprintf(name, sizeof name, "core.%d", pid);
    CHECK(holds(name, marked, marked));
    struct stat st;
    CHECK_OK(stat(name, &st));
    CHECK_EQ(st.st_mode & 0777, 0600);

    CHILD(pid) {
        CHECK_OK(prctl(PR_SET_DUMPABLE, 0));
        die(RLIM_INFINITY);
    }
    CHECK(!WCOREDUMP(status_of(pid)));
    return 0;
}
