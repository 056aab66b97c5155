"""One thread writes a key through all members; others read it, each through a member of its own. Exits with 1 when a read that
began after a write was acknowledged returns what was there before that write."""
import base64, http.client, json, os, random, sys, threading, time

MEMBERS = ["etcd1", "etcd2", "etcd3"]
WORK = 25  # seconds

acknowledged = 0  # the highest revision of a write that was acknowledged
reads, stale = 0, []


class Member:
    """A kept connection to one member, made again when it has failed."""

    def __init__(self, name):
        self.name, self.connection = name, None

    def ask(self, what, **fields):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.name, 2379, timeout=5)
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


def read(member):
    global reads
    began, least = time.monotonic(), acknowledged
    kvs = member.ask("range", key=KEY).get("kvs", [])
    got = int(kvs[0]["mod_revision"]) if kvs else 0
    reads += 1
    if got < least:
        stale.append(f"{member.name} returned revision {got} after {least} had been acknowledged "
                     f"({began:.3f} to {time.monotonic():.3f})")


def loop(step, member, pace):
    member = Member(member)
    draw, began = random.Random(os.urandom(8)), time.monotonic()
    while time.monotonic() - began < WORK:
        try:
            step(member, draw)
        except FAILURES:
            pass
        time.sleep(draw.uniform(0, pace))


def main():
    threads = []
    for member in MEMBERS:
        threads.append(threading.Thread(target=loop, args=(lambda m, d: write(m, d), member, 0.5)))
        threads += [threading.Thread(target=loop, args=(lambda m, d: read(m), member, 0.2)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for line in stale:
        print(line)
    print(f"{reads} reads, {len(stale)} of them stale; the last write was revision {acknowledged}")
    sys.exit(1 if stale else 0)


main()
