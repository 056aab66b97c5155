// Names of users and groups from the files, without a network.
#include "check.h"
#include <grp.h>
#include <pwd.h>

int main(void) {
    struct passwd *root = getpwuid(0);
    if (!root) return 0;  // A root file system without a passwd.
    CHECK_STR(root->pw_name, "root");
    CHECK_EQ(getpwnam("root")->pw_uid, 0);
    CHECK(!getpwnam("no-such-user-here"));
    struct group *group = getgrgid(0);
    CHECK(!group || !strcmp(group->gr_name, "root") || group->gr_name[0]);
    return 0;
}
