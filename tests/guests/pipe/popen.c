// popen and system: a shell at the other end.
#include "check.h"

int main(void) {
    FILE *out = popen("echo from the shell; exit 3", "r");
    CHECK(out);
    char line[64];
    CHECK(fgets(line, sizeof line, out));
    CHECK_STR(line, "from the shell\n");
    CHECK(!fgets(line, sizeof line, out));
    CHECK_EQ(pclose(out), 3 << 8);
    FILE *in = popen("read word; test \"$word\" = given", "w");
    CHECK(in);
    CHECK(fputs("given\n", in) >= 0);
    CHECK_EQ(pclose(in), 0);
    CHECK_EQ(system("exit 5"), 5 << 8);
    CHECK_EQ(system("kill -9 $$"), SIGKILL);
    CHECK(system(NULL));
    return 0;
}
