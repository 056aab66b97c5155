// Broken-down time, zones by TZ, strftime and back.
#include "check.h"

int main(void) {
    CHECK_OK(setenv("TZ", "XST-3XDT-4,M3.5.0/2,M10.5.0/3", 1));
    tzset();
    time_t winter = 1700000000, summer = 1690000000;
    struct tm tm;
    CHECK(localtime_r(&winter, &tm));
    CHECK(tm.tm_hour == 1 && tm.tm_mday == 15 && tm.tm_isdst == 0);
    CHECK(localtime_r(&summer, &tm));
    CHECK_EQ(tm.tm_isdst, 1);
    CHECK_EQ(tm.tm_gmtoff, 4 * 3600);
    CHECK(gmtime_r(&winter, &tm));
    char text[64];
    CHECK(strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm));
    CHECK_STR(text, "2023-11-14T22:13:20");
    CHECK_EQ(timegm(&tm), winter);
    return 0;
}
