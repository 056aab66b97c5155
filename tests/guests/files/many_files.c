// Two thousand files made, listed, renamed, read and removed.
#include "check.h"
#include <dirent.h>

int main(void) {
    enter_tmp();
    char name[32], other[32], text[32];
    for (int folder = 0; folder < 10; folder++) {
        snprintf(name, sizeof name, "d%d", folder);
        CHECK_OK(mkdir(name, 0755));
        for (int i = 0; i < 200; i++) {
            snprintf(name, sizeof name, "d%d/f%d", folder, i);
            write_file(name, name);
        }
    }
    for (int folder = 0; folder < 10; folder++)
        for (int i = 0; i < 200; i += 2) {
            snprintf(name, sizeof name, "d%d/f%d", folder, i);
            snprintf(other, sizeof other, "d%d/moved%d-%d", 9 - folder, folder, i);
            CHECK_OK(rename(name, other));
            read_file(other, text, sizeof text);
            CHECK_STR(text, name);
        }
    int count = 0;
    for (int folder = 0; folder < 10; folder++) {
        snprintf(name, sizeof name, "d%d", folder);
        DIR *dir = opendir(name);
        CHECK(dir);
        struct dirent *entry;
        while ((entry = readdir(dir)))
            if (entry->d_name[0] != '.') {
                CHECK_OK(unlinkat(dirfd(dir), entry->d_name, 0));
                count++;
            }
        closedir(dir);
        CHECK_OK(rmdir(name));
    }
    CHECK_EQ(count, 2000);
    return 0;
}
