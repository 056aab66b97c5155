"""Sends ten datagrams each tenth of a second to each peer, and prints what came back: before the faults, while they go on (from one
second to three), and after them."""
import select
import socket
import sys
import time

TICK, BURST, END = 0.1, 10, 5.0
WINDOWS = [("before", 0.0, 0.9), ("during", 1.1, 2.9), ("after", 3.5, END)]
began = time.monotonic()


def now():
    return time.monotonic() - began


class Peer:
    def __init__(self, name):
        self.name, self.sent, self.times, self.came = name, [], {}, []
        self.heard = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((name, 7))

    def send(self):
        for _ in range(BURST):
            number = len(self.sent)
            self.sent.append(now())
            try:
                self.socket.send(b"%d" % number)
            except OSError as error:
                print(self.name, type(error).__name__, flush=True)

    def receive(self):
        try:
            number, heard = self.socket.recv(2048).split()
        except OSError as error:
            print(self.name, type(error).__name__, flush=True)
            return
        self.heard = int(heard)
        self.came.append((int(number), now()))

    def report(self):
        for window, begin, end in WINDOWS:
            mine = [number for number, at in enumerate(self.sent) if begin <= at < end]
            came = [(number, at) for number, at in self.came if begin <= self.sent[number] < end]
            trips = sorted((at - self.sent[number]) * 1000 for number, at in came) or [0]
            share = 100 * len({number for number, _ in came}) // len(mine)
            twice = len(came) - len({number for number, _ in came})
            late = sum(1 for (a, _), (b, _) in zip(came, came[1:]) if b < a)
            print(f"{self.name} {window}: {share} % came, {twice} twice, {late} late, "
                  f"{trips[len(trips) // 2]:.0f} ms, {trips[-1]:.0f} ms at most")
        print(f"{self.name} heard {100 * self.heard // len(self.sent)} %")


peers = [Peer(name) for name in sys.argv[1:]]
turn = 0
while now() < END:
    for peer in peers:
        peer.send()
    turn += 1
    while (left := turn * TICK - now()) > 0:
        ready, _, _ = select.select([peer.socket for peer in peers], [], [], left)
        for peer in peers:
            if peer.socket in ready:
                peer.receive()
for peer in peers:
    peer.report()
with open("/proc/net/snmp", encoding="ascii") as counters:
    lines = [line.split() for line in counters if line.startswith("Udp:")]
print("damaged", dict(zip(*lines))["InCsumErrors"])
