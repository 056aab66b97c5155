/*
 * Two threads move money to and fro between two accounts, and each locks the account that it takes from first.
 * Mended, both lock the account with the lower address first.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { TRANSFERS = 10 };

static int audit; /* the log of what is done */

struct account {
    const char *name;
    pthread_mutex_t lock;
    long balance;
};

static struct account savings = { "savings", PTHREAD_MUTEX_INITIALIZER, 1000 };
static struct account current = { "current", PTHREAD_MUTEX_INITIALIZER, 1000 };

static void transfer(struct account *from, struct account *to, long amount)
{
    struct account *first = from, *second = to;
#ifdef MENDED
    if (to < from)
        first = to, second = from;
#endif
    pthread_mutex_lock(&first->lock);
    dprintf(audit, "%ld from %s to %s\n", amount, from->name, to->name);
    pthread_mutex_lock(&second->lock);
    from->balance -= amount;
    to->balance += amount;
    pthread_mutex_unlock(&to->lock);
    pthread_mutex_unlock(&from->lock);
}

static void *save(void *unused)
{
    for (int i = 0; i < TRANSFERS; i++)
        transfer(&current, &savings, 10);
    return unused;
}

static void *spend(void *unused)
{
    for (int i = 0; i < TRANSFERS; i++)
        transfer(&savings, &current, 10);
    return unused;
}

int main(void)
{
    audit = open("/tmp/deadlock.log", O_WRONLY | O_CREAT | O_APPEND, 0644);
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, save, NULL);
    pthread_create(&threads[1], NULL, spend, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    printf("savings %ld, current %ld\n", savings.balance, current.balance);
    return savings.balance + current.balance == 2000 ? 0 : 1;
}
