"""Writes one key and reads it, through all members. Exits with 1 when a read that began after a write was acknowledged returns
what was there before that write.

A write's answer has the revision that it made, and a read's the revision of the write that it shows, so no more is needed to tell: the
revision that a read shows is at least the highest that was acknowledged before it began.

`client.py log` reads by transactions that write, too, and so go through the log like any write.
"""
import base64, http.client, json, os, random, sys, threading, time

MEMBERS = ["etcd1", "etcd2", "etcd3"]
WORK = 30  # seconds
READERS = 4  # of each member
REST = 6  # seconds at most between two bursts of one reader

acknowledged = 0  # the highest revision of a write that was acknowledged
reads, stale = 0, []


class Member:
    """A kept connection to one member, made again when it has failed."""

    def __init__(self, name):
        self.name, self.connection = name, None

    def ask(self, what, **fields):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.name, 2379, timeout=10)
            self.connection.request("POST", f"/v3/kv/{what}", json.dumps(fields))
            response = self.connection.getresponse()
            answer = json.loads(response.read())
        except FAILURES:
            self.connection = None
            raise
        if response.status != 200:
            raise OSError(answer)
        return answer


KEY = base64.b64encode(b"key").decode()
FAILURES = (OSError, http.client.HTTPException, ValueError)


def write(member, draw):
    global acknowledged
    answer = member.ask("put", key=KEY, value=base64.b64encode(b"%d" % draw.randrange(10**6)).decode())
    acknowledged = max(acknowledged, int(answer["header"]["revision"]))


def plain_read(member):
    return member.ask("range", key=KEY).get("kvs", [])


def read_by_the_log(member):
    mark = {"request_put": {"key": base64.b64encode(b"reads").decode(), "value": ""}}
    answer = member.ask("txn", success=[mark, {"request_range": {"key": KEY}}])
    return answer["responses"][1]["response_range"].get("kvs", [])


READ = read_by_the_log if sys.argv[1:] == ["log"] else plain_read


def read(member, _draw):
    global reads
    began, least = time.monotonic(), acknowledged
    kvs = READ(member)
    got = int(kvs[0]["mod_revision"]) if kvs else 0
    reads += 1
    if got < least:
        stale.append(f"{member.name} returned revision {got} after {least} had been acknowledged "
                     f"({began:.3f} to {time.monotonic():.3f})")


def repeat(member, body):
    member, draw, began = Member(member), random.Random(os.urandom(8)), time.monotonic()
    while time.monotonic() - began < WORK:
        body(member, draw)


def write_now_and_then(member, draw):
    attempt(write, member, draw)
    time.sleep(draw.uniform(0, 0.5))


def read_in_bursts(member, draw):
    for _ in range(draw.randrange(1, 20)):
        attempt(read, member, draw)
        time.sleep(draw.uniform(0, 0.1))
    time.sleep(draw.uniform(0, REST))


def attempt(step, member, draw):
    try:
        step(member, draw)
    except FAILURES:
        pass


def main():
    bodies = [write_now_and_then] + [read_in_bursts] * READERS
    threads = [threading.Thread(target=repeat, args=(member, body)) for member in MEMBERS for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for line in stale:
        print(line)
    print(f"{reads} reads, {len(stale)} of them stale; the last write was revision {acknowledged}")
    sys.exit(1 if stale else 0)


main()
