// A fork in a thread copies that thread only; its locks work in the child.
#include "check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int prepared, parented, childed;
static void prepare(void) { prepared++; pthread_mutex_lock(&lock); }
static void in_parent(void) { parented++; pthread_mutex_unlock(&lock); }
static void in_child(void) { childed++; pthread_mutex_unlock(&lock); }

static volatile bool stop;
static void *busy(void *unused) {
    while (!stop) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
        sched_yield();
    }
    return NULL;
}

static void *forker(void *unused) {
    for (int i = 0; i < 20; i++) {
        pid_t pid;
        CHILD(pid) {
            CHECK_EQ(gettid(), getpid());
            CHECK_ZERO(pthread_mutex_lock(&lock));
            CHECK_EQ(childed, 1);
            // New threads can be made in it.
            stop = true;
            thread_join(thread_start(busy, NULL) + (pthread_mutex_unlock(&lock), 0));
        }
        CHECK_EXIT(pid, 0);
    }
    return NULL;
}

int main(void) {
    pthread_atfork(prepare, in_parent, in_child);
    pthread_t other = thread_start(busy, NULL);
    thread_join(thread_start(forker, NULL));
    stop = true;
    thread_join(other);
    CHECK_EQ(prepared, 20);
    CHECK_EQ(parented, 20);
    CHECK_EQ(childed, 0);
    return 0;
}
