// fork_exec COUNT: starts /bin/true and waits for it, as often.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **texts) {
    if (count != 2) return 2;
    for (long left = atol(texts[1]); left > 0; left--) {
        pid_t child = fork();
        if (child < 0) return 1;
        if (child == 0) {
            execl("/bin/true", "true", (char *)0);
            _exit(127);
        }
        int status;
        if (waitpid(child, &status, 0) != child || status != 0) return 1;
    }
    return 0;
}
