"""Some threads append to lists: each reads a list, adds to what it has read, and writes that, all in one transaction.

`client.py LEVEL` names the isolation level. Exits with 1 when a value whose transaction was committed is in no list at the end.
"""
import os, random, socket, struct, sys, threading, time

LISTS, THREADS, APPENDS = 3, 4, 10


class Failure(Exception):
    """The server's error."""


class Postgres:
    """One connection by PostgreSQL's protocol, version 3: the start-up and the simple query are all that is needed."""

    def __init__(self, host):
        self.socket = socket.create_connection((host, 5432), timeout=10)
        self.file = self.socket.makefile("rb")
        start = struct.pack("!I", 3 << 16) + b"user\0postgres\0database\0postgres\0\0"
        self.socket.sendall(struct.pack("!I", len(start) + 4) + start)
        self.until_ready()

    def ask(self, query):
        body = query.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!I", len(body) + 4) + body)
        return self.until_ready()

    def until_ready(self):
        """The rows, up to ReadyForQuery; an ErrorResponse is raised then."""
        rows, failure = [], None
        while True:
            kind, length = struct.unpack("!cI", self.file.read(5))
            body = self.file.read(length - 4)
            if kind == b"D":
                rows.append(columns(body))
            elif kind == b"E":
                failure = Failure({part[:1]: part[1:].decode() for part in body.split(b"\0") if part}[b"C"])
            elif kind == b"Z":
                if failure:
                    raise failure
                return rows


def columns(body):
    count, at, values = struct.unpack_from("!H", body)[0], 2, []
    for _ in range(count):
        (length,) = struct.unpack_from("!i", body, at)
        values.append(None if length < 0 else body[at + 4 : at + 4 + length].decode())
        at += 4 + max(length, 0)
    return values


def appender(number, level, committed):
    draw, server = random.Random(os.urandom(8)), Postgres("postgres")
    for count in range(APPENDS):
        key, value = draw.randrange(LISTS), f"{number}-{count}"
        try:
            server.ask(f"BEGIN ISOLATION LEVEL {level}")
            (before,) = server.ask(f"SELECT value FROM lists WHERE key = {key}")[0]
            server.ask(f"UPDATE lists SET value = '{before} {value}' WHERE key = {key}")
            server.ask("COMMIT")
            committed.append(value)
        except Failure:
            server.ask("ROLLBACK")
        time.sleep(draw.uniform(0, 0.05))


def main():
    level, committed, server = sys.argv[1], [], Postgres("postgres")
    server.ask("CREATE TABLE lists (key int PRIMARY KEY, value text NOT NULL)")
    server.ask(f"INSERT INTO lists SELECT key, '' FROM generate_series(0, {LISTS - 1}) AS key")
    threads = [threading.Thread(target=appender, args=(n, level, committed)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = {value for (row,) in server.ask("SELECT value FROM lists") for value in row.split()}
    lost = [value for value in committed if value not in held]
    print(f"{len(committed)} of {THREADS * APPENDS} appends were committed, {len(lost)} of them are lost: {' '.join(lost)}")
    sys.exit(1 if lost else 0)


main()
