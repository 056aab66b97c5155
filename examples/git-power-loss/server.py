"""A git repository behind HTTP: POST /commit makes a commit, POST /intact says which of some commits can still be read.

What is asked of git is what anybody asks of it: `add`, `commit`, and afterwards `archive`, which reads a commit, its tree and its files.
"""
import http.server, json, os, subprocess, sys

REPO = "/srv/repo"


def git(*args):
    return subprocess.run(["git", "-C", REPO, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def must(*args):
    done = git(*args)
    if done.returncode != 0:
        raise RuntimeError(f"git {' '.join(args)}: {done.stderr.strip()}")
    return done.stdout.strip()


def boot():
    """The first boot makes the repository; a later one finds what the power loss left and removes stale locks, as git says to."""
    if not os.path.exists(f"{REPO}/.git/HEAD"):
        subprocess.run(["git", "init", "-q", REPO], check=True)
        for setting in (("user.name", "Ada"), ("user.email", "ada@example.org"), *map(pair, sys.argv[1:])):
            must("config", *setting)
        os.sync()
    for folder, _, names in os.walk(f"{REPO}/.git"):
        for name in names:
            if name.endswith(".lock"):
                os.unlink(os.path.join(folder, name))


def pair(setting):
    return setting.split("=", 1)


def commit(number):
    with open(f"{REPO}/{number}.txt", "w") as file:
        file.write(f"chapter {number}\n" * 100)
    must("add", f"{number}.txt")
    must("commit", "-q", "-m", f"chapter {number}")
    return must("rev-parse", "HEAD")


def damage(ids):
    """What git says of each of these commits that it cannot read with its tree and files."""
    said = {}
    for commit_id in ids:
        read = subprocess.run(["git", "-C", REPO, "archive", "--format=tar", commit_id], capture_output=True)
        if read.returncode != 0:
            said[commit_id] = read.stderr.decode(errors="replace").strip()
    return said


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, answer = 200, {"/commit": commit, "/damage": damage}[self.path](asked)
        except RuntimeError as error:
            status, answer = 500, str(error)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


boot()
http.server.HTTPServer(("0.0.0.0", 80), Handler).serve_forever()
