// Threads that spin in code that the program has made itself, as just-in-time compilers do: in memory that stays writable, and
// in memory that is made executable when it is written.
#include "check.h"
#include <stdatomic.h>

static atomic_int flag, answer;

// Returns when *rdi is esi: `1: cmp [rdi], esi; jne 1b; ret`.
static const unsigned char loop[] = {0x39, 0x37, 0x75, 0xfc, 0xc3};
// The same by a long branch: `1: cmp [rdi], esi; je 2f; jmp 1b; 2: ret`.
static const unsigned char long_loop[] = {0x39, 0x37, 0x74, 0x05, 0xe9, 0xf7, 0xff, 0xff, 0xff, 0xc3};
// The same by an indirect branch: `1: lea rax, [rip - 7]; cmp [rdi], esi; je 2f; jmp rax; 2: ret`.
static const unsigned char indirect_loop[] = {0x48, 0x8d, 0x05, 0xf9, 0xff, 0xff, 0xff, 0x39, 0x37, 0x74, 0x02, 0xff, 0xe0, 0xc3};

typedef void (*Wait)(atomic_int *word, int value);

static Wait make(const void *code, size_t length, int stays_writable) {
    int protection = PROT_READ | PROT_WRITE | (stays_writable ? PROT_EXEC : 0);
    void *memory = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    memcpy((char *)memory + 64, code, length);
    if (!stays_writable) CHECK_OK(mprotect(memory, 4096, PROT_READ | PROT_EXEC));
    return (Wait)((char *)memory + 64);
}

static void *other(void *wait) {
    for (int i = 1; i <= 20; i++) {
        ((Wait)wait)(&flag, i);
        atomic_store(&answer, i);
    }
    return NULL;
}

static void both_spin(Wait here, Wait there) {
    atomic_store(&flag, 0);
    atomic_store(&answer, 0);
    pthread_t thread = thread_start(other, (void *)there);
    for (int i = 1; i <= 20; i++) {
        atomic_store(&flag, i);
        here(&answer, i);
    }
    thread_join(thread);
}

int main(void) {
    both_spin(make(loop, sizeof loop, 1), make(long_loop, sizeof long_loop, 0));
    Wait indirect = make(indirect_loop, sizeof indirect_loop, 1);
    both_spin(indirect, indirect);
    // The memory is used again for other code.
    memcpy((char *)indirect, loop, sizeof loop);
    both_spin(indirect, indirect);
    return 0;
}
