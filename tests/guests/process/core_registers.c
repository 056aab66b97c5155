// The registers in a core are those with which the thread was ended, also when others have run between.
#include "check.h"
#include <elf.h>
#include <pthread.h>
#include <sched.h>
#include <sys/procfs.h>

static const uintptr_t nowhere = 0x123456000;

static void *yield(void *unused) {
    for (int i = 0; i < 100; i++) sched_yield();
    return unused;
}

static void die(void) {
    CHECK_OK(setrlimit(RLIMIT_CORE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}));
    CHECK(signal(SIGSEGV, SIG_DFL) != SIG_ERR);
    pthread_t thread;
    CHECK_OK(pthread_create(&thread, NULL, yield, NULL));
    yield(NULL);
    CHECK_OK(pthread_join(thread, NULL));
    ((void (*)(void))nowhere)();
}

int main(void) {
    char pattern[64], uses_pid[8], name[32] = "core";
    read_file("/proc/sys/kernel/core_pattern", pattern, sizeof pattern);
    if (strcmp(pattern, "core\n")) return 0;  // Elsewhere cores go elsewhere.
    enter_tmp();
    if (setrlimit(RLIMIT_CORE, &(struct rlimit){0, RLIM_INFINITY}) == -1) return 0;
    pid_t pid;
    CHILD(pid) die();
    int status = wait_status(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && WCOREDUMP(status));
    read_file("/proc/sys/kernel/core_uses_pid", uses_pid, sizeof uses_pid);
    if (uses_pid[0] == '1') snprintf(name, sizeof name, "core.%d", pid);
    int fd = CHECK_OK(open(name, O_RDONLY));
    Elf64_Ehdr head;
    Elf64_Phdr segment;
    CHECK_EQ(read(fd, &head, sizeof head), sizeof head);
    CHECK_EQ(pread(fd, &segment, sizeof segment, head.e_phoff), sizeof segment);
    CHECK_EQ(segment.p_type, PT_NOTE);
    Elf64_Nhdr note;
    struct elf_prstatus registers;
    CHECK_EQ(pread(fd, &note, sizeof note, segment.p_offset), sizeof note);
    CHECK_EQ(note.n_type, NT_PRSTATUS);
    CHECK_EQ(note.n_namesz, sizeof "CORE");
    // The name is padded to a multiple of four.
    CHECK_EQ(pread(fd, &registers, sizeof registers, segment.p_offset + sizeof note + 8), sizeof registers);
    // rip is the seventeenth.
    CHECK_EQ(registers.pr_reg[16], nowhere);
    return 0;
}
