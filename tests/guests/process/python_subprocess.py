# subprocess: pipes both ways, time limits, groups, environment, many at once.
import os
import signal
import subprocess
import sys

done = subprocess.run(["cat"], input=b"x" * 300_000, capture_output=True, check=True)
assert len(done.stdout) == 300_000
done = subprocess.run("echo out; echo err >&2; exit 3", shell=True, capture_output=True, text=True)
assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 3)
try:
    subprocess.run(["sleep", "30"], timeout=0.1)
    raise SystemExit("no timeout")
except subprocess.TimeoutExpired:
    pass
try:
    subprocess.Popen(["/nonexistent"])
    raise SystemExit("no error")
except FileNotFoundError:
    pass
child = subprocess.Popen(["sleep", "30"], start_new_session=True)
os.killpg(child.pid, signal.SIGTERM)
assert child.wait() == -signal.SIGTERM
script = "import os, sys; sys.exit(int(os.environ['CODE']))"
children = [subprocess.Popen([sys.executable, "-c", script], env={"CODE": str(n)}) for n in range(5)]
assert [child.wait() for child in children] == list(range(5))
first = subprocess.Popen(["seq", "1", "50000"], stdout=subprocess.PIPE)
second = subprocess.Popen(["wc", "-l"], stdin=first.stdout, stdout=subprocess.PIPE)
first.stdout.close()
assert second.communicate()[0].strip() == b"50000"
assert first.wait() == 0
pid = os.fork()
if pid == 0:
    os._exit(9)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
