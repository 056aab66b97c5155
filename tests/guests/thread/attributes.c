// Stack size and place, guard, names, and the thread's own view of them.
#include "check.h"

static char stack_memory[1 << 18] __attribute__((aligned(4096)));
static void *where(void *unused) {
    char local;
    char *volatile address = &local;
    CHECK(address > stack_memory && address < stack_memory + sizeof stack_memory);
    return "there";
}
static void *big(void *unused) {
    volatile char block[3 << 20];
    for (size_t i = 0; i < sizeof block; i += 4096) block[i] = 1;
    pthread_attr_t attributes;
    CHECK_ZERO(pthread_getattr_np(pthread_self(), &attributes));
    void *low;
    size_t size;
    CHECK_ZERO(pthread_attr_getstack(&attributes, &low, &size));
    CHECK(size >= 4 << 20);
    CHECK((char *)block > (char *)low && (char *)block < (char *)low + size);
    return NULL;
}
static void *named(void *unused) {
    char name[16];
    CHECK_ZERO(pthread_setname_np(pthread_self(), "worker-7"));
    CHECK_ZERO(pthread_getname_np(pthread_self(), name, sizeof name));
    CHECK_STR(name, "worker-7");
    char path[64], comm[32];
    snprintf(path, sizeof path, "/proc/self/task/%d/comm", gettid());
    read_file(path, comm, sizeof comm);
    CHECK_STR(comm, "worker-7\n");
    return NULL;
}

int main(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK_ZERO(pthread_attr_init(&attributes));
    CHECK_ZERO(pthread_attr_setstack(&attributes, stack_memory, sizeof stack_memory));
    CHECK_ZERO(pthread_create(&thread, &attributes, where, NULL));
    CHECK_STR(thread_join(thread), "there");
    CHECK_ZERO(pthread_attr_init(&attributes));
    CHECK_ZERO(pthread_attr_setstacksize(&attributes, 4 << 20));
    CHECK_ZERO(pthread_create(&thread, &attributes, big, NULL));
    thread_join(thread);
    thread_join(thread_start(named, NULL));
    CHECK_EQ(pthread_setname_np(pthread_self(), "a name that is too long"), ERANGE);
    // The first thread's stack is known as well.
    CHECK_ZERO(pthread_getattr_np(pthread_self(), &attributes));
    void *low;
    size_t size;
    CHECK_ZERO(pthread_attr_getstack(&attributes, &low, &size));
    CHECK((char *)&thread > (char *)low && (char *)&thread < (char *)low + size);
    return 0;
}
