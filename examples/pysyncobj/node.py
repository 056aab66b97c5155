"""One of three nodes that keep a set together by PySyncObj, with its journal on disk, and answer HTTP.

PUT /VALUE adds a value and answers when the library says that it is committed; GET / says what the set holds once this node has
caught up with the leader; GET /terms says in which terms this node was the leader, over all its lives.
"""
import http.server, json, os, socketserver, sys

sys.path.insert(0, "/pysyncobj")
import pysyncobj

HOME = "/var/lib/node"
RAFT_PORT, HTTP_PORT = 4000, 80


class Set(pysyncobj.SyncObj):
    def __init__(self, me, others):
        settings = pysyncobj.SyncObjConf(journalFile=f"{HOME}/journal", onStateChanged=self.changed)
        self.values = set()
        super().__init__(f"{me}:{RAFT_PORT}", [f"{other}:{RAFT_PORT}" for other in others], settings)

    @pysyncobj.replicated
    def add(self, value):
        self.values.add(value)

    @pysyncobj.replicated
    def nothing(self):
        """What is committed after everything that was committed before."""

    def changed(self, before, now):
        if now == 2:  # leader
            with open(f"{HOME}/terms", "a") as terms:
                terms.write(f"{self.raftCurrentTerm}\n")
            print(f"leader in term {self.raftCurrentTerm}", flush=True)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        self.answer(lambda: node.add(self.path[1:], sync=True, timeout=2))

    def do_GET(self):
        self.answer({"/": self.values, "/terms": self.terms}[self.path])

    def values(self):
        node.nothing(sync=True, timeout=2)
        return sorted(node.values)

    def terms(self):
        return [int(line) for line in open(f"{HOME}/terms")] if os.path.exists(f"{HOME}/terms") else []

    def answer(self, ask):
        try:
            status, value = 200, ask()
        except pysyncobj.SyncObjException as error:
            status, value = 503, f"{type(error).__name__} {error.errorCode}"
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


os.makedirs(HOME, exist_ok=True)
node = Set(sys.argv[1], sys.argv[2:])
Server(("0.0.0.0", HTTP_PORT), Handler).serve_forever()
