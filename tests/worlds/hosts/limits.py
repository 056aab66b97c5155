"""What calls cost in virtual time, and how many descriptors there are, before and while the host is struck (from one second on)."""
import os
import time

for moment in ["before", "during"]:
    start = time.monotonic()
    for _ in range(100):
        os.getppid()
    took = time.monotonic() - start
    files = []
    try:
        while len(files) < 200:
            files.append(open("/dev/null", "rb"))
        why = "no error"
    except OSError as error:
        why = error.strerror
    print(f"{moment}: {took * 1000:.0f} ms, {why} after {len(files) // 10} * 10 files", flush=True)
    for file in files:
        file.close()
    time.sleep(1.5 - time.monotonic() % 1 if moment == "before" else 0)
