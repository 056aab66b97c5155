# signal: handlers, alarms, interval timers, waiting for signals, a wake-up descriptor.
import os
import signal
import socket
import time

seen = []
signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
while len(seen) < 3:
    signal.pause()
signal.setitimer(signal.ITIMER_REAL, 0)

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
os.kill(os.getpid(), signal.SIGUSR1)
assert signal.sigpending() == {signal.SIGUSR1}
assert signal.sigwait({signal.SIGUSR1}) == signal.SIGUSR1
assert signal.sigtimedwait({signal.SIGUSR1}, 0.01) is None

here, there = socket.socketpair()
there.setblocking(False)
signal.set_wakeup_fd(there.fileno())
signal.signal(signal.SIGUSR2, lambda number, frame: None)
os.kill(os.getpid(), signal.SIGUSR2)
assert here.recv(1) == bytes([signal.SIGUSR2])


class Stop(Exception):
    pass


def stop(number, frame):
    raise Stop


signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    time.sleep(10)
    raise SystemExit("not interrupted")
except Stop:
    pass
