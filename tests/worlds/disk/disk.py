"""Reads, writes and syncs on the host's disk before, while and after it is struck (from one second to three), and says what came
of it: what calls return or how they fail, how long they take, and what is in files that were written. Started again after a power
loss, it says what is left."""
import errno
import hashlib
import os
import time

PAGE, PAGES = 4096, 64
began = time.monotonic()


def tried(call):
    start = time.monotonic()
    try:
        result = call()
    except OSError as error:
        result = errno.errorcode[error.errno]
    took = time.monotonic() - start
    return f"{result} in {took:.1f} s" if took > 0.05 else str(result)


def page(name, number):
    return hashlib.sha256(f"{name} {number}".encode()).digest() * (PAGE // 32)


def wrong(name):
    """Pages of a file that are not as they were written."""
    with open(name, "rb") as file:
        text = file.read()
    return sum(text[n * PAGE:(n + 1) * PAGE] != page(name, n) for n in range(PAGES))


def write(name, number):
    file = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        return os.pwrite(file, page(name, number), number * PAGE)
    finally:
        os.close(file)


def sync(name):
    file = os.open(name, os.O_RDWR)
    try:
        os.fsync(file)
        return "synced"
    finally:
        os.close(file)


def fill(name):
    for number in range(PAGES):
        write(name, number)
    return sync(name)


def forget(name):
    """Lets what the system remembers of a file go, so that it is read from the disk."""
    file = os.open(name, os.O_RDONLY)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)


def look(moment):
    print(f"{moment}: make {tried(lambda: os.close(os.open(moment, os.O_WRONLY | os.O_CREAT)))}", flush=True)
    print(f"{moment}: write {tried(lambda: write('/data/old', 0))}", flush=True)
    print(f"{moment}: sync {tried(lambda: sync('/data/old'))}", flush=True)
    print(f"{moment}: again {tried(lambda: sync('/data/old'))}", flush=True)
    print(f"{moment}: fill {tried(lambda: fill('/data/' + moment))}", flush=True)
    print(f"{moment}: read {tried(lambda: len(open('/data/old', 'rb', buffering=0).read(PAGE)))}", flush=True)
    forget("/data/old")
    print(f"{moment}: old {tried(lambda: wrong('/data/old'))} pages wrong", flush=True)
    print(f"{moment}: program {tried(lambda: os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)[1])}", flush=True)


os.chdir("/data")
if not os.path.exists("/data/old"):
    fill("/data/old")
    fill("/data/other")
    look("before")
    os.sync()
    time.sleep(began + 1.1 - time.monotonic())
    look("during")
    time.sleep(max(0, began + 3.5 - time.monotonic()))
    look("after")
for name in ["old", "other", "before", "during", "after"]:
    if os.path.exists("/data/" + name):
        forget("/data/" + name)
        print(f"in the end: {name} has {tried(lambda name=name: wrong('/data/' + name))} pages wrong", flush=True)
