"""Handlers, alarms, interval timers, masks, waits, a wakeup descriptor, and exceptions out of a handler."""

import os
import select
import signal
import socket
import time

caught: list[str] = []


def handler(number: int, _frame: object) -> None:
    caught.append(signal.Signals(number).name)


for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGCHLD):
    signal.signal(number, handler)

os.kill(os.getpid(), signal.SIGUSR1)
signal.raise_signal(signal.SIGUSR2)
print("kill", caught)

caught.clear()
began = time.monotonic()
signal.alarm(1)
signal.pause()
print("alarm", caught, round(time.monotonic() - began))

caught.clear()
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
while len(caught) < 5:
    signal.pause()
rest, interval = signal.setitimer(signal.ITIMER_REAL, 0)
print("interval timer", caught, interval, rest <= 0.05)

caught.clear()
signal.setitimer(signal.ITIMER_VIRTUAL, 0.02)
signal.setitimer(signal.ITIMER_PROF, 0.05)
while len(caught) < 2:
    os.getppid()
print("timers of used time", sorted(caught))

caught.clear()
signal.setitimer(signal.ITIMER_REAL, 0.1)
began = time.monotonic()
time.sleep(0.5)
print("sleep goes on after a handler", caught, time.monotonic() - began >= 0.5)


class Enough(Exception):
    """Thrown out of a handler."""


def throw(_number: int, _frame: object) -> None:
    raise Enough


signal.signal(signal.SIGALRM, throw)
left, right = socket.socketpair()
signal.setitimer(signal.ITIMER_REAL, 0.1)
try:
    left.recv(1)
except Enough:
    print("a handler may throw out of a read")

caught.clear()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2})
os.kill(os.getpid(), signal.SIGUSR1)
os.kill(os.getpid(), signal.SIGUSR2)
print("blocked", caught, sorted(s.name for s in signal.sigpending()))
print("sigwait", signal.sigwait({signal.SIGUSR2}).name)
print("sigtimedwait", signal.sigtimedwait({signal.SIGUSR2}, 0.1))
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1, signal.SIGUSR2})
print("let in", caught)

left.setblocking(False)
right.setblocking(False)
signal.set_wakeup_fd(right.fileno())
os.kill(os.getpid(), signal.SIGUSR1)
print("wakeup", select.select([left], [], [], 5)[0] == [left], left.recv(10) == bytes([signal.SIGUSR1]))
signal.set_wakeup_fd(-1)

caught.clear()
child = os.fork()
if child == 0:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pause()
os.kill(child, signal.SIGTERM)
_, status = os.waitpid(child, 0)
print("child", os.WTERMSIG(status), caught)

child = os.fork()
if child == 0:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        os._exit(42)
print("interrupt", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

ours, theirs = os.pipe()
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
    # One that has ended is not told as continued.
    os.read(ours, 1)
    os._exit(6)
print("stopped", os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1]))
os.kill(child, signal.SIGCONT)
print("continued", os.WIFCONTINUED(os.waitpid(child, os.WCONTINUED)[1]))
os.write(theirs, b".")
print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
