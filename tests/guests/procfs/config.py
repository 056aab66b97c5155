# /proc/config.gz, where there is one, says in whole lines what the kernel was built with.
import gzip, os, re, select

if os.path.exists("/proc/config.gz"):
    lines = gzip.open("/proc/config.gz", "rt").read().splitlines()
    options = dict(line.split("=", 1) for line in lines if line.startswith("CONFIG_"))
    assert all(re.fullmatch(r"|#.*|CONFIG_\w+=.+", line) for line in lines), lines
    assert options["CONFIG_EPOLL"] == "y"
    select.epoll().close()
