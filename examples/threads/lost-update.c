/*
 * Two tellers pay into one account. Reading the balance is locked, and so is writing it; what is between them is not.
 * Mended, one lock is held from the reading to the writing.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { DEPOSITS = 20, AMOUNT = 10 };

static int audit; /* the log of what is done */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
#ifdef MENDED
static pthread_mutex_t deposit = PTHREAD_MUTEX_INITIALIZER;
#endif
static long balance;

static long read_balance(void)
{
    pthread_mutex_lock(&lock);
    long now = balance;
    pthread_mutex_unlock(&lock);
    return now;
}

static void write_balance(long now)
{
    pthread_mutex_lock(&lock);
    balance = now;
    pthread_mutex_unlock(&lock);
}

static void *teller(void *name)
{
    for (int i = 0; i < DEPOSITS; i++) {
#ifdef MENDED
        pthread_mutex_lock(&deposit);
#endif
        long before = read_balance();
        dprintf(audit, "%s: %ld + %d\n", (const char *)name, before, AMOUNT);
        write_balance(before + AMOUNT);
#ifdef MENDED
        pthread_mutex_unlock(&deposit);
#endif
    }
    return NULL;
}

int main(void)
{
    audit = open("/tmp/lost-update.log", O_WRONLY | O_CREAT | O_APPEND, 0644);
    pthread_t tellers[2];
    pthread_create(&tellers[0], NULL, teller, "first");
    pthread_create(&tellers[1], NULL, teller, "second");
    pthread_join(tellers[0], NULL);
    pthread_join(tellers[1], NULL);
    long expected = 2L * DEPOSITS * AMOUNT;
    printf("balance %ld of %ld\n", balance, expected);
    return balance == expected ? 0 : 1;
}
