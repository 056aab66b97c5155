// Programs that are none, or broken, or malign: exec says so, or the new process dies; nothing else happens.
#include "check.h"
#include <elf.h>
#include <stddef.h>

extern char **environ;

// A whole program in one page: a header, two program headers, and code that exits with 42.
static struct {
    Elf64_Ehdr header;
    Elf64_Phdr segments[2];
    unsigned char code[16];
    char interpreter[32];
    char rest[4096];
} image;
static size_t image_size;

enum { BASE = 0x400000 };

static void fresh(void) {
    memset(&image, 0, sizeof image);
    image.header = (Elf64_Ehdr){
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
        .e_entry = BASE + offsetof(__typeof__(image), code), .e_phoff = sizeof(Elf64_Ehdr),
        .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
    };
    image.segments[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = BASE, .p_paddr = BASE,
                                     .p_filesz = 1024, .p_memsz = 1024, .p_align = 4096};
    // mov $231, %eax; mov $42, %edi; syscall
    memcpy(image.code, "\xb8\xe7\x00\x00\x00\xbf\x2a\x00\x00\x00\x0f\x05", 12);
    image_size = 4096;
}

static int *failure;

// Runs the image: the errno of exec, or minus the signal, or 1000 plus the exit code.
static int run_path(const char *path) {
    pid_t pid;
    *failure = 0;
    CHILD(pid) {
        signal(SIGALRM, SIG_DFL);
        alarm(3);  // Lives through exec.
        char *words[] = {"hostile", NULL};
        execve(path, words, environ);
        *failure = errno;
    }
    int status = wait_status(pid);
    if (*failure) return *failure;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : 1000 + WEXITSTATUS(status);
}
static int run(void) {
    unlink("program");
    int fd = CHECK_OK(open("program", O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
    CHECK_EQ(write(fd, &image, image_size), image_size);
    CHECK_OK(close(fd));
    return run_path("./program");
}

#define CHANGED(change, expected) \
    do { \
        fresh(); \
        change; \
        int got_ = run(); \
        if (!(expected)) FAIL("%s: %d, expected %s", #change, got_, #expected); \
    } while (0)
#define GIVES(error) (got_ == (error))
#define DIES (got_ < 0)

static void interpreter(const char *path, size_t size) {
    image.header.e_phnum = 2;
    strcpy(image.interpreter, path);
    image.segments[1] = (Elf64_Phdr){.p_type = PT_INTERP, .p_flags = PF_R, .p_filesz = size, .p_memsz = size,
                                     .p_offset = offsetof(__typeof__(image), interpreter)};
}

int main(void) {
    enter_tmp();
    failure = shared_memory(4096);
    CHANGED((void)0, GIVES(1042));
    CHANGED(image.header.e_ident[0] = 0x7e, GIVES(ENOEXEC));
    CHANGED(image.header.e_machine = EM_AARCH64, GIVES(ENOEXEC));
    CHANGED(image.header.e_machine = 0, GIVES(ENOEXEC));
    CHANGED(image.header.e_type = ET_REL, GIVES(ENOEXEC));
    CHANGED(image.header.e_type = ET_CORE, GIVES(ENOEXEC));
    CHANGED(image.header.e_type = 0xffff, GIVES(ENOEXEC));
    CHANGED(image.header.e_phentsize = 32, GIVES(ENOEXEC));
    CHANGED(image.header.e_phnum = 0, GIVES(ENOEXEC));
    CHANGED(image.header.e_phnum = 0xffff, GIVES(ENOEXEC));
    CHANGED(image.header.e_phoff = 1 << 20, GIVES(ENOEXEC));
    CHANGED(image.header.e_phoff = -8ull, got_ > 0 && got_ < 1000);
    for (size_t size = 0; size < sizeof(Elf64_Ehdr); size += 7) CHANGED(image_size = size, GIVES(ENOEXEC));
    CHANGED(image_size = sizeof(Elf64_Ehdr) + 20, GIVES(ENOEXEC));  // The program headers are cut off.

    CHANGED(image.header.e_entry = 0, DIES);
    CHANGED(image.header.e_entry = 0xdeadbeef000, DIES);
    CHANGED(image.header.e_entry = -1ull, DIES || GIVES(ENOEXEC));
    CHANGED(image.segments[0].p_flags = PF_R, DIES);
    CHANGED(image.segments[0].p_filesz = 2048; image.segments[0].p_memsz = 1024, DIES || GIVES(ENOEXEC));
    CHANGED(image.segments[0].p_memsz = 1ull << 60, DIES || GIVES(ENOEXEC) || GIVES(ENOMEM));
    CHANGED(image.segments[0].p_filesz = image.segments[0].p_memsz = -1ull, DIES || GIVES(ENOEXEC));
    CHANGED(image.segments[0].p_vaddr = 0xffff800000000000, DIES || GIVES(ENOEXEC));
    CHANGED(image.segments[0].p_vaddr = BASE + 8, DIES || GIVES(ENOEXEC));
    CHANGED(image.segments[0].p_offset = 1 << 20, DIES);  // Past the end of the file.
    CHANGED(image.segments[0].p_type = PT_NOTE, DIES || GIVES(ENOEXEC));
    CHANGED(image.header.e_phnum = 2; image.segments[1] = image.segments[0], GIVES(1042) || DIES || GIVES(ENOEXEC));
    CHANGED(image.header.e_phnum = 2; image.segments[1] = image.segments[0]; image.segments[1].p_vaddr -= 1 << 21,
            GIVES(1042) || DIES || GIVES(ENOEXEC));  // Not in ascending order.
    CHANGED(image.header.e_type = ET_DYN; image.segments[0].p_vaddr = 0; image.header.e_entry -= BASE, GIVES(1042));
    CHANGED(image.segments[0].p_align = 3, GIVES(1042) || GIVES(ENOEXEC));

    write_file("text", "not a program at all, and longer than any header would be, so that it can be read in full ..");
    CHANGED(interpreter("/nonexistent", 13), GIVES(ENOENT));
    CHANGED(interpreter("/", 2), GIVES(EACCES));
    CHANGED(interpreter("./text", 7), GIVES(EACCES));
    CHECK_OK(chmod("text", 0755));
    CHANGED(interpreter("./text", 7), GIVES(ELIBBAD));
    CHANGED(interpreter("./program", 10), DIES || GIVES(ELIBBAD) || got_ >= 1000);
    CHANGED(interpreter("/bin/true", 0), GIVES(ENOEXEC));
    CHANGED(interpreter("/bin/true", 9), GIVES(ENOEXEC));  // Without its zero.
    CHANGED(interpreter("/bin/true", 1 << 20), GIVES(ENOEXEC));

    CHECK_EQ(run_path("."), EACCES);
    CHECK_EQ(run_path("./none"), ENOENT);
    fresh();
    run();
    CHECK_OK(chmod("program", 0644));
    CHECK_EQ(run_path("./program"), EACCES);

    // Fields at random: whatever comes of it, it ends.
    unsigned long state = 88172645463325252ul;
    for (int i = 0; i < 60; i++) {
        fresh();
        for (int k = 0; k < 3; k++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            size_t at = state % (sizeof image.header + sizeof image.segments[0] - 16) + 16;
            ((unsigned char *)&image)[at] = state >> 32;
        }
        run();
    }
    return 0;
}
