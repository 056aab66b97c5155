"""Asks the server ten times a second which start this is, and keeps one connection on which it goes on writing. It prints what
changes, and when."""
import socket
import time

began = time.monotonic()
state, tick = None, 0


def now():
    return f"{time.monotonic() - began:.1f}"


def ask():
    try:
        with socket.create_connection(("server", 7), timeout=0.3) as stream:
            answer = stream.recv(100)
            stream.sendall(b"q")
            return answer.decode().strip() or "nothing"
    except OSError as error:
        return type(error).__name__


def write(stream):
    try:
        stream.send(b"x")
        return None if stream.recv(100) else "end of file"
    except BlockingIOError:
        return None
    except OSError as error:
        return type(error).__name__


while ask() != "start 1":
    time.sleep(0.01)
kept = socket.create_connection(("server", 7))
kept.recv(100)
kept.sendall(b"k")
kept.setblocking(False)
while (age := time.monotonic() - began) < 9:
    if (new := ask()) != state:
        state = new
        print(now(), state, flush=True)
    if kept and (end := write(kept)):
        print(now(), "kept:", end, flush=True)
        kept = None
    tick += 1
    time.sleep(max(0, tick / 10 - (time.monotonic() - began)))
