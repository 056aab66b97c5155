"""Children by fork and exec: pipes, statuses, groups, sessions, limits of time, descriptors and environments."""

import os
import signal
import subprocess
import sys
import time

print("output", subprocess.check_output(["echo", "hello"]).decode().strip())
done = subprocess.run(["tr", "a-z", "A-Z"], input=b"over a pipe", capture_output=True)
print("input", done.stdout.decode(), done.returncode)
done = subprocess.run(["sh", "-c", "echo out; echo err >&2; exit 7"], capture_output=True, text=True)
print("both", done.stdout.strip(), done.stderr.strip(), done.returncode)

big = b"x" * 3_000_000
print("large", len(subprocess.run(["cat"], input=big, stdout=subprocess.PIPE).stdout))

first = subprocess.Popen(["seq", "1", "1000"], stdout=subprocess.PIPE)
second = subprocess.Popen(["grep", "-c", "7"], stdin=first.stdout, stdout=subprocess.PIPE, text=True)
first.stdout.close()
print("pipeline", second.communicate()[0].strip(), first.wait())

try:
    subprocess.run(["/no/such/program"])
except FileNotFoundError as error:
    print("missing", error.strerror)
try:
    subprocess.run(["sleep", "100"], timeout=0.2)
except subprocess.TimeoutExpired:
    print("out of time")
child = subprocess.Popen(["sleep", "100"])
child.send_signal(signal.SIGINT)
print("by signal", child.wait())

child = subprocess.Popen(["sh", "-c", "sleep 100 & wait"], start_new_session=True)
time.sleep(0.1)
print("own session", os.getsid(child.pid) == child.pid, os.getpgid(child.pid) == child.pid)
os.killpg(child.pid, signal.SIGTERM)
print("group", child.wait())

read_end, write_end = os.pipe()
script = f"import os; os.write({write_end}, b'by descriptor')"
subprocess.run([sys.executable, "-c", script], pass_fds=[write_end], check=True)
print(os.read(read_end, 100).decode())
print("environment", subprocess.check_output(["/usr/bin/env"], env={"A": "1", "B": "2"}).decode().split())
print("folder", subprocess.check_output(["pwd"], cwd="/usr/bin").decode().strip())

pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 5"], {})
print("posix_spawn", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
try:
    os.posix_spawn("/no/such/program", ["x"], {})
except FileNotFoundError:
    print("posix_spawn tells of a missing program")

many = [subprocess.Popen(["sh", "-c", f"exit {n}"]) for n in range(30)]
print("many", sum(child.wait() for child in many))
pid = os.fork()
if pid == 0:
    os._exit(9)
print("fork", os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT).si_status, os.waitpid(pid, 0)[1] >> 8)
print("rusage", os.wait4(os.posix_spawn("/bin/true", ["true"], {}), 0)[2].ru_maxrss > 0)
