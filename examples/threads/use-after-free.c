/*
 * A server's sessions: a worker looks one up and then counts itself as its user; a reaper takes idle ones out of the table, looks
 * again whether somebody uses them, and frees them. Between the lookup and the count nobody knows of the worker, so a reaper that
 * comes in there and gets all the way to `free` leaves it with freed memory. Mended, both do it under one lock.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SESSIONS = 4, VISITS = 6 };

static int audit; /* the log of what is done */

struct session {
    atomic_int users;
    char *name;
};

static _Atomic(struct session *) table[SESSIONS];

#ifdef MENDED
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
#endif

static void lock_table(void)
{
#ifdef MENDED
    pthread_mutex_lock(&lock);
#endif
}

static void unlock_table(void)
{
#ifdef MENDED
    pthread_mutex_unlock(&lock);
#endif
}

static void note(const char *what, int slot)
{
    dprintf(audit, "%s %d\n", what, slot);
}

static struct session *open_session(int slot)
{
    struct session *session = calloc(1, sizeof *session);
    session->name = malloc(16);
    snprintf(session->name, 16, "session %d", slot);
    return session;
}

static void close_session(struct session *session)
{
    free(session->name);
    free(session);
}

static void visit(int slot)
{
    lock_table();
    struct session *session = atomic_load(&table[slot]);
    if (session != NULL) {
        note("visit", slot);
        atomic_fetch_add(&session->users, 1);
    }
    unlock_table();
    if (session == NULL)
        return;
    if (strncmp(session->name, "session", 7) != 0)
        abort();
    atomic_fetch_sub(&session->users, 1);
}

static void *worker(void *unused)
{
    for (int i = 0; i < VISITS; i++)
        for (int slot = 0; slot < SESSIONS; slot++)
            visit(slot);
    return unused;
}

/* The oldest session, if nobody uses it; its file is written before it goes. */
static void reap(int slot)
{
    struct session *session = atomic_load(&table[slot]);
    if (atomic_load(&session->users) > 0)
        return;
    note("save", slot);
    atomic_store(&table[slot], NULL);
    note("remove", slot);
    if (atomic_load(&session->users) > 0) {
        atomic_store(&table[slot], session);
        return;
    }
    close_session(session);
}

static void *reaper(void *unused)
{
    note("reap", SESSIONS - 1);
    lock_table();
    reap(SESSIONS - 1);
    unlock_table();
    return unused;
}

int main(void)
{
    audit = open("/tmp/use-after-free.log", O_WRONLY | O_CREAT | O_APPEND, 0644);
    for (int slot = 0; slot < SESSIONS; slot++)
        table[slot] = open_session(slot);
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, worker, NULL);
    pthread_create(&threads[1], NULL, reaper, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    puts("done");
    return 0;
}
