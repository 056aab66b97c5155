"""Adds values to a set in Redis, found through the sentinels, and reads the set at the end. Exits with 1 when a value whose
addition was acknowledged is not in it.

`client.py N` waits for N replicas to have each value (WAIT) before it counts as acknowledged.
"""
import os, random, socket, sys, time

HOSTS = ["redis1", "redis2", "redis3"]
WORK, SETTLED, END = 30, 45, 58  # seconds after the start: when the work ends, when the set is read, when it must have been read
REPLICAS = int(sys.argv[1]) if len(sys.argv) > 1 else 0


class Failure(Exception):
    """An answer that is an error."""


class Redis:
    """One connection that speaks RESP."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=1)
        self.file = self.socket.makefile("rb")

    def ask(self, *words):
        words = [str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        return self.answer()

    def answer(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("the connection ended")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise Failure(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return None if rest == b"-1" else [self.answer() for _ in range(int(rest))]
        return rest.decode()

    def close(self):
        self.file.close()
        self.socket.close()


def primary(draw):
    """A connection to the server that the first sentinel that answers names as the primary."""
    for host in draw.sample(HOSTS, len(HOSTS)):
        try:
            sentinel = Redis(host, 26379)
            name = sentinel.ask("SENTINEL", "get-master-addr-by-name", "main")
            sentinel.close()
            if name:
                return Redis(name[0], int(name[1]))
        except (OSError, Failure):
            continue
    raise OSError("no sentinel answers")


def main():
    draw, began = random.Random(os.urandom(8)), time.monotonic()
    me, number, acknowledged, server = socket.gethostname(), 0, [], None
    while time.monotonic() - began < WORK:
        number += 1
        value = f"{me}-{number}"
        try:
            server = server or primary(draw)
            server.ask("SADD", "set", value)
            if REPLICAS == 0 or server.ask("WAIT", REPLICAS, 500) >= REPLICAS:
                acknowledged.append(value)
        except (OSError, Failure):
            server = None
        time.sleep(draw.uniform(0, 0.2))
    time.sleep(max(0, SETTLED - (time.monotonic() - began)))
    while True:
        try:
            held = set(primary(draw).ask("SMEMBERS", "set"))
            break
        except (OSError, Failure) as error:
            if time.monotonic() - began > END:
                sys.exit(f"the set cannot be read: {error}")
            time.sleep(0.5)
    lost = [value for value in acknowledged if value not in held]
    print(f"{len(acknowledged)} of {number} values were acknowledged, {len(lost)} of them are lost: {' '.join(lost)}")
    sys.exit(1 if lost else 0)


main()
