"""Three processes that each write three hundred letters to one file, and how their turns show in it."""
import os
import time

file = os.open("/tmp/turns", os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o644)
began = time.monotonic()
for letter in b"abc":
    if not os.fork():
        for _ in range(300):
            os.write(file, bytes([letter]))
        os._exit(0)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
text = os.pread(file, 10000, 0).decode()
switches = sum(a != b for a, b in zip(text, text[1:]))
print("letters", len(text))
print("turns", "few" if switches < 20 else "some" if switches < 100 else "many", flush=True)
for letter in "abc":
    rest = {other: text[: text.rindex(other) + 1].count(letter) for other in "abc" if other != letter}
    print(letter, "had written", *(f"{count} when {other} ended," for other, count in rest.items()), flush=True)
print(f"{time.monotonic() - began:.1f} s")
