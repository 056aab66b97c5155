// What /proc and /sys say of the machine, in the forms that programs read.
#include "check.h"
#include <sys/sysinfo.h>

static char text[1 << 16];
static bool has(const char *path, const char *part) {
    read_file(path, text, sizeof text);
    return strstr(text, part) != NULL;
}
static long number(const char *path) {
    read_file(path, text, sizeof text);
    return atol(text);
}

int main(void) {
    CHECK(has("/proc/meminfo", "MemTotal:"));
    CHECK(strstr(text, "MemFree:") && strstr(text, "MemAvailable:") && strstr(text, " kB\n"));
    CHECK(has("/proc/cpuinfo", "processor\t: 0\n"));
    int cpus = 0;
    for (char *at = text; (at = strstr(at, "processor\t:")); at++) cpus++;
    CHECK(cpus >= get_nprocs());
    CHECK(has("/proc/version", "Linux version "));
    CHECK(has("/proc/filesystems", "\tproc\n"));
    CHECK(has("/proc/self/mountinfo", " / / "));
    CHECK(has("/proc/mounts", " / ") && strstr(text, "/proc proc "));
    CHECK(has("/proc/stat", "cpu  "));
    CHECK(strstr(text, "\nbtime "));
    // Each processor was busy or idle for as long as the machine is up; each kind of softirq has a number.
    unsigned long busy, nice, system, rest;
    CHECK_EQ(sscanf(text, "cpu %lu %lu %lu %lu", &busy, &nice, &system, &rest), 4);
    CHECK(rest > 0);
    int kinds = 0;
    for (char *at = strstr(text, "\nsoftirq "); at && (at = strchr(at + 1, ' ')); kinds++);
    CHECK_EQ(kinds, 11);
    read_file("/proc/net/softnet_stat", text, sizeof text);
    int numbers = 0;
    for (char *at = strtok(text, " \n"); at; at = strtok(NULL, " \n")) {
        CHECK_EQ(strlen(at), 8);
        numbers++;
    }
    CHECK(numbers >= 13);
    double up, idle, load;
    read_file("/proc/uptime", text, sizeof text);
    CHECK_EQ(sscanf(text, "%lf %lf", &up, &idle), 2);
    CHECK(up > 0);
    read_file("/proc/loadavg", text, sizeof text);
    CHECK_EQ(sscanf(text, "%lf", &load), 1);
    CHECK(number("/proc/sys/kernel/pid_max") >= 300);
    CHECK(number("/proc/sys/fs/file-max") > 0);
    CHECK(number("/proc/sys/net/core/somaxconn") > 0);
    CHECK(number("/proc/sys/kernel/threads-max") > 0);
    CHECK_EQ(read_file("/proc/sys/kernel/random/boot_id", text, sizeof text), 37);
    CHECK(has("/proc/sys/kernel/ostype", "Linux"));
    read_file("/sys/devices/system/cpu/online", text, sizeof text);
    CHECK(text[0] == '0');
    read_file("/proc/self/cgroup", text, sizeof text);
    CHECK(has("/proc/self/limits", "Max open files"));
    CHECK(has("/proc/self/oom_score_adj", "\n"));
    struct sysinfo info;
    CHECK_OK(sysinfo(&info));
    CHECK(info.totalram > 0 && info.mem_unit > 0 && info.procs > 0);
    CHECK_ERRNO(open("/proc/no-such-file", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("/proc/meminfo", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    return 0;
}
