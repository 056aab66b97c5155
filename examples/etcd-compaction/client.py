"""Puts, deletes and compacts, and looks at the store's revision in every answer. Exits with 1 when it ever goes back."""
import base64, http.client, json, os, random, sys, time

WORK, END = 20, 28  # seconds after the start: when the work ends, and when etcd must have answered once more


def ask(what, timeout=2, **fields):
    connection = http.client.HTTPConnection("etcd", 2379, timeout=timeout)
    try:
        connection.request("POST", f"/v3/kv/{what}", json.dumps(fields))
        response = connection.getresponse()
        answer = json.loads(response.read())
    finally:
        connection.close()
    if response.status != 200:
        raise OSError(answer)
    return answer


def b64(text):
    return base64.b64encode(text.encode()).decode()


class Client:
    def __init__(self):
        self.began = time.monotonic()
        self.draw = random.Random(os.urandom(8))
        self.revision, self.compacted, self.compactions = 0, 0, 0

    def seen(self, revision, how):
        if revision < self.revision:
            print(f"the revision went from {self.revision} back to {revision}, seen by {how}; compacted up to {self.compacted}")
            sys.exit(1)
        self.revision = revision

    def step(self):
        key = b64(f"key{self.draw.randrange(8)}")
        kind = self.draw.choice(["put", "put", "deleterange", "deleterange", "range", "compaction"])
        if kind == "compaction":
            if self.revision > self.compacted:
                ask(kind, revision=self.revision)
                self.compacted, self.compactions = self.revision, self.compactions + 1
            return
        more = {"value": b64("value")} if kind == "put" else {}
        answer = ask(kind, key=key, **more)
        self.seen(int(answer["header"]["revision"]), kind)

    def run(self):
        while time.monotonic() - self.began < WORK:
            try:
                self.step()
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.1)
            time.sleep(self.draw.uniform(0, 0.02))
        while True:
            try:
                self.seen(int(ask("range", key=b64("key0"))["header"]["revision"]), "the last range")
                break
            except (OSError, http.client.HTTPException, ValueError) as error:
                if time.monotonic() - self.began > END:
                    sys.exit(f"etcd does not answer: {error}")
                time.sleep(0.2)
        print(f"revision {self.revision} after {self.compactions} compactions, and it never went back")


Client().run()
