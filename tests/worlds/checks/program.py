"""Does what its argument says: crashes, waits for ever, grows, ends, prints, or writes a history."""
import ctypes
import os
import signal
import sys
import threading
import time

HISTORY = os.environ.get("SNOWGLOBE_HISTORY")


def crash(number):
    """In a child, which its parent does not mind."""
    if not os.fork():
        os.kill(os.getpid(), number)
        time.sleep(1)
        os._exit(0)
    os.wait()


def segfault():
    if not os.fork():
        ctypes.string_at(8)
    os.wait()


def deadlock():
    """Two locks in two orders; all threads of the process wait on private futexes."""
    first, second = threading.Lock(), threading.Lock()

    def other():
        with second:
            time.sleep(0.1)
            with first:
                pass

    thread = threading.Thread(target=other)
    with first:
        thread.start()
        time.sleep(0.2)
        second.acquire()


def pipes():
    """Two processes that each wait for what the other does not write."""
    there, back = os.pipe(), os.pipe()
    reads = there[0] if os.fork() else back[0]
    os.read(reads, 1)


def descriptors():
    files = []
    for _ in range(800):
        files.append(open("/dev/null", "rb"))
        time.sleep(0.1)


def memory():
    parts = []
    for _ in range(800):
        parts.append(b"x" * (256 << 10))
        time.sleep(0.1)


def steady():
    for _ in range(300):
        with open("/dev/null", "rb"):
            part = b"x" * (1 << 20)
        time.sleep(0.2)
        del part


def history(text):
    """Each line by a write of its own: what comes by one write is taken to be of one time."""
    with open(HISTORY, "wb", buffering=0) as file:
        for part in text.splitlines(keepends=True):
            file.write(part)


def line(kind, process, f, value, key="x"):
    shown = "null" if value is None else value
    return f'{{"type":"{kind}","process":{process},"f":"{f}","key":"{key}","value":{shown}}}\n'.encode()


GOOD = line("invoke", 0, "write", 1) + line("ok", 0, "write", 1) + line("invoke", 1, "read", None) + line("ok", 1, "read", 1)
STALE = GOOD + line("invoke", 0, "write", 2) + line("ok", 0, "write", 2) + line("invoke", 1, "read", None) + line("ok", 1, "read", 1)


def hard():
    """Forty-two exchanges that may have happened, in any order, and a read of what none of them makes."""
    pairs = [(a, b) for a in range(7) for b in range(7) if a != b] + [(50, 51)]
    text = line("invoke", 998, "write", 0) + line("ok", 998, "write", 0)
    for kind in ("invoke", "info"):
        for process, (old, new) in enumerate(pairs):
            text += line(kind, process, "cas", f"[{old},{new}]")
    history(text + line("invoke", 999, "read", None) + line("ok", 999, "read", 51))


ACTS = {
    "abort": lambda: crash(signal.SIGABRT),
    "own-abort": os.abort,
    "segfault": segfault,
    "deadlock": deadlock,
    "pipes": pipes,
    "descriptors": descriptors,
    "memory": memory,
    "steady": steady,
    "exit-3": lambda: sys.exit(3),
    "sleep": lambda: time.sleep(1000),
    "print": lambda: print("ready\nPANIC: no\nthe end", flush=True),
    "good": lambda: history(GOOD),
    "stale": lambda: history(STALE),
    "cut": lambda: history(GOOD + line("invoke", 1, "read", None)[:20]),
    "cut-and-stale": lambda: history(STALE + line("invoke", 1, "read", None)[:20]),
    "garbage": lambda: history(GOOD + b"\x00\xff{[no history\n"),
    "deep": lambda: history(GOOD + b"[" * 100000 + b"\n"),
    "long": lambda: history(GOOD + b'"' + b"x" * (9 << 20) + b'"\n'),
    "ends-twice": lambda: history(GOOD + line("ok", 1, "read", 1)),
    "hard": hard,
    "empty": lambda: history(b""),
    "nothing": lambda: None,
}
ACTS[sys.argv[1]]()
print("done", flush=True)
