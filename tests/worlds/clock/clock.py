"""Prints by how much the wall clock has gone another way than the monotonic one, whenever that changes, and what each clock says."""
import os
import time

began, first = time.monotonic(), time.time() - time.monotonic()
last, shown = began, 0.0
jumps = 0
while (now := time.monotonic()) - began < 6:
    assert now >= last, "the monotonic clock went back"
    last = now
    off = round(time.time() - now - first, 3)
    if abs(off - shown) >= 0.0005:
        jumps += 1
        if jumps <= 4:
            print(f"{now - began:.1f}: off by {off:.3f} s", flush=True)
        shown = off
    time.sleep(0.1)
print(f"in the end: off by {shown:.3f} s after {jumps} changes", flush=True)
path = "/tmp/file"
with open(path, "w", encoding="ascii"):
    pass
print(f"a new file: off by {os.stat(path).st_mtime - time.monotonic() - first:.2f} s", flush=True)
