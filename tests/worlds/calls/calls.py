"""Makes calls that may be struck, and says how each of them ended: writes to two files, syncs, connections to two ports of another
host, and messages on them."""
import errno
import os
import socket
import time


def tried(call):
    start = time.monotonic()
    try:
        result = call()
    except OSError as error:
        result = errno.errorcode[error.errno]
    took = time.monotonic() - start
    return f"{result} after {took:.1f} s" if took > 0.05 else str(result)


def connected(port):
    with socket.socket() as stream:
        stream.settimeout(5)
        stream.connect(("peer", port))
        stream.sendall(b"hello")
        return stream.recv(100).decode()


left, right = (os.open("/data/" + name, os.O_RDWR | os.O_CREAT, 0o644) for name in ("left", "right"))
restarted = os.path.exists("/data/begun")
os.close(os.open("/data/begun", os.O_CREAT | os.O_WRONLY))
print("begun again" if restarted else "begun", flush=True)
for turn in range(1, 5):
    for name, file in (("left", left), ("right", right)):
        print(f"{turn}: write {name} {tried(lambda: os.pwrite(file, b'x' * 100, 0))}", flush=True)
    print(f"{turn}: sync {tried(lambda: os.fsync(left))}", flush=True)
    for port in (7, 8):
        print(f"{turn}: connect {port} {tried(lambda: connected(port))}", flush=True)
    time.sleep(1)
print("done", flush=True)
