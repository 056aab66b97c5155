// telldir, seekdir and rewinddir; a listing while entries come and go.
#include "check.h"
#include <dirent.h>

int main(void) {
    enter_tmp();
    char name[32];
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "%d", i);
        write_file(name, "");
    }
    DIR *dir = opendir(".");
    CHECK(dir);
    for (int i = 0; i < 10; i++) CHECK(readdir(dir));
    long place = telldir(dir);
    struct dirent *entry = readdir(dir);
    CHECK(entry);
    char kept[256];
    strcpy(kept, entry->d_name);
    for (int i = 0; i < 20; i++) CHECK(readdir(dir));
    seekdir(dir, place);
    entry = readdir(dir);
    CHECK_STR(entry->d_name, kept);

    // Two listings without a change in between are in the same order.
    char first[60][16];
    rewinddir(dir);
    int count = 0;
    while ((entry = readdir(dir))) snprintf(first[count++], 16, "%.15s", entry->d_name);
    CHECK_EQ(count, 52);
    rewinddir(dir);
    for (int i = 0; i < count; i++) {
        entry = readdir(dir);
        CHECK(entry);
        CHECK_STR(entry->d_name, first[i]);
    }
    CHECK(!readdir(dir));

    // What stays all the time is listed exactly once while half of it is removed underway.
    rewinddir(dir);
    int odd = 0;
    while ((entry = readdir(dir))) {
        int number = atoi(entry->d_name);
        if (entry->d_name[0] == '.') continue;
        if (number % 2) odd++;
        else CHECK_OK(unlink(entry->d_name));
    }
    CHECK_EQ(odd, 25);
    CHECK_OK(closedir(dir));
    return 0;
}
