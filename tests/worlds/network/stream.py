"""One stream to b: what happens to it while the network is struck, and how long a transfer takes."""
import socket
import sys
import time

began = time.monotonic()
what = sys.argv[1]


def until(moment):
    time.sleep(max(0, began + moment - time.monotonic()))


def exchange(stream, size):
    start, got = time.monotonic(), 0
    stream.sendall(b"x" * size)
    while got < size:
        data = stream.recv(65536)
        if not data:
            raise EOFError
        got += len(data)
    return time.monotonic() - start


stream = socket.create_connection(("b", 7), timeout=20)
print(f"before: {exchange(stream, 1000) * 1000:.0f} ms", flush=True)
until(1.5)
if what == "idle":
    until(3.5)
    try:
        print(f"after: {exchange(stream, 1000) * 1000:.0f} ms", flush=True)
    except OSError as error:
        print("after:", type(error).__name__, flush=True)
elif what == "bulk":
    print(f"bulk: {exchange(stream, 20000):.1f} s", flush=True)
elif what == "close":
    stream.shutdown(socket.SHUT_WR)
    start = time.monotonic()
    assert stream.recv(1) == b""
    print(f"closed: {time.monotonic() - start:.1f} s", flush=True)
