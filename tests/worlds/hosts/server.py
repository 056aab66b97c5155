"""Counts its starts on the disk, and tells which start this is to whoever asks."""
import os
import signal
import socket
import sys


def stop(*_):
    print("asked to stop", flush=True)
    sys.exit(0)


def count():
    path = "/data/starts"
    starts = 1 + (int(open(path, encoding="ascii").read()) if os.path.exists(path) else 0)
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(str(starts))
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)
    directory = os.open("/data", os.O_RDONLY)
    os.fsync(directory)
    return starts


if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, stop)
starts = count()
memory = os.path.exists("/dev/shm/before")
open("/dev/shm/before", "w", encoding="ascii").close()
print(f"start {starts}, process {os.getpid()}, memory {'kept' if memory else 'empty'}", flush=True)
listener = socket.create_server(("", 7))
kept = []
while True:
    stream, _ = listener.accept()
    stream.sendall(b"start %d\n" % starts)
    if stream.recv(1) == b"k":
        kept.append(stream)
    else:
        stream.close()
