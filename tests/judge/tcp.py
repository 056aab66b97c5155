#!/usr/bin/env python3
"""Asks the kernel's own TCP when it does what, and prints it as lines of milliseconds.

A TUN device in a network namespace of its own is the far end of a link on which this program answers, delays or
swallows packets as each scenario says. Needs root or user namespaces, and /dev/net/tun; where they are missing it says so
and ends with status 77. Takes about a minute; with the name of a scenario, only as long as that one does:

    unshare -Urn python3 tests/judge/tcp.py [--check] [SCENARIO...]

With --check it compares with AGREED, the times that the tests in crates/net/src/tcp/tests.rs hold for the simulated table.
"""

import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time

HERE, THERE = "10.77.0.1", "10.77.0.2"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SKIP = 77


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Segment:
    """A TCP segment that the kernel sent."""

    def __init__(self, packet, at):
        head = (packet[0] & 15) * 4
        tcp = packet[head:]
        self.at = at
        self.sport, self.dport, self.seq, self.ack, offset, self.flags, self.window = struct.unpack("!HHIIBBH", tcp[:16])
        self.options = tcp[20 : (offset >> 4) * 4]
        self.data = tcp[(offset >> 4) * 4 :]

    def end(self):
        return (self.seq + len(self.data) + bool(self.flags & SYN) + bool(self.flags & FIN)) & 0xFFFFFFFF

    def clock(self):
        """The timestamp of the sender."""
        at = 0
        while at < len(self.options):
            kind = self.options[at]
            if kind == 1:
                at += 1
                continue
            if kind == 0:
                break
            if kind == 8:
                return struct.unpack("!I", self.options[at + 2 : at + 6])[0]
            at += self.options[at + 1]
        return None


class Link:
    """The TUN device, and what this end of it knows of one connection."""

    def __init__(self):
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.fd, 0x400454CA, struct.pack("16sH22s", b"judge", 0x1001, b""))
        for command in (
            "ip link set lo up",
            f"ip addr add {HERE}/24 dev judge",
            "ip link set judge up mtu 1500",
            "sysctl -qw net.ipv4.tcp_congestion_control=cubic",
        ):
            subprocess.run(command.split(), check=False, stderr=subprocess.DEVNULL)
        self.begin = time.monotonic()
        self.seq, self.expected, self.echo, self.far_port = 1_000_000, 0, 0, 0
        self.window = 65535
        self.later = []
        self.watched = None

    def now(self):
        return (time.monotonic() - self.begin) * 1000

    def read(self, until):
        """The next segment before `until` (ms), or nothing."""
        while True:
            now = self.now()
            for item in [item for item in self.later if item[0] <= now]:
                self.later.remove(item)
                item[1]()
            wait = min([until] + [item[0] for item in self.later]) - self.now()
            if until - self.now() <= 0:
                return None
            if select.select([self.fd], [], [], max(wait, 0) / 1000)[0]:
                packet = os.read(self.fd, 70000)
                if packet[0] >> 4 == 4 and packet[9] == 6:
                    segment = Segment(packet, self.now())
                    # What connections of earlier scenarios still send is not of this one.
                    if self.watched in (None, segment.dport, segment.sport):
                        return segment

    def send(self, flags, data=b"", to=None, seq=None, ack=None, options=None, own=None):
        own, to = own or self.far_port, to or self.port
        seq = self.seq if seq is None else seq
        ack = self.expected if ack is None else ack
        if options is None:
            clock = int(self.now()) + 1
            options = b"\1\1" + struct.pack("!BBII", 8, 10, clock, self.echo or 0)
        body = struct.pack(
            "!HHIIBBHHH", own, to, seq, ack, (5 + len(options) // 4) << 4, flags, self.window, 0, 0
        )
        body += options + data
        pseudo = socket.inet_aton(THERE) + socket.inet_aton(HERE) + struct.pack("!BBH", 0, 6, len(body))
        body = body[:16] + struct.pack("!H", checksum(pseudo + body)) + body[18:]
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, 6, 0)
        head += socket.inet_aton(THERE) + socket.inet_aton(HERE)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        os.write(self.fd, head + body)

    def take(self, segment):
        """Moves on by what a segment brings."""
        self.expected = segment.end()
        self.echo = segment.clock() or self.echo

    def acknowledge(self, segment):
        self.take(segment)
        self.send(ACK)

    def drain(self):
        while self.read(self.now() + 30):
            pass

    def accept(self, port, prepare=lambda fd: None):
        """A connection that the kernel makes to `port`, after 1 ms."""
        self.watched = port
        fd = socket.socket()
        fd.setblocking(False)
        prepare(fd)
        fd.connect_ex((THERE, port))
        syn = self.read(self.now() + 2000)
        self.far_port, self.port = port, syn.sport
        self.seq, self.window = 1_000_000, 65535
        self.take(syn)
        time.sleep(0.001)
        mss = b"\2\4" + struct.pack("!H", 1460) + b"\4\2" + struct.pack("!BBII", 8, 10, int(self.now()) + 1, self.echo)
        mss += b"\1\3\3\0"
        self.send(SYN | ACK, options=mss)
        self.seq += 1
        self.read(self.now() + 2000)
        return fd

    def collect(self, ms, fits=lambda s: True, then=lambda s: None):
        """Times of the segments of the next `ms` that fit, since the call."""
        begin, times = self.now(), []
        until = begin + ms
        while (segment := self.read(until)) is not None:
            if fits(segment):
                times.append(segment.at - begin)
            then(segment)
        return [round(t) for t in times]


def option(level, name, value):
    return lambda fd: fd.setsockopt(level, name, value)


TCP = socket.IPPROTO_TCP
USER_TIMEOUT = 18


def connecting(link):
    """SYNs without an answer: a second apart five times, then doubling."""
    link.watched = 1001
    fd = socket.socket()
    fd.setblocking(False)
    fd.connect_ex((THERE, 1001))
    return {"syn": link.collect(9500, lambda s: s.flags & SYN)}


def tail(link):
    """One segment without an acknowledgement: a tail probe, then the time-out and its doublings."""
    fd = link.accept(1002)
    fd.send(b"x" * 100)
    return {"sent": link.collect(6000, lambda s: s.data)}


def two(link):
    """Two segments without an acknowledgement: the tail probe comes sooner."""
    fd = link.accept(1003, option(TCP, socket.TCP_NODELAY, 1))
    fd.send(b"x" * 100)
    fd.send(b"y" * 100)
    return {"sent": link.collect(2000, lambda s: s.data)}


def user_timeout(link):
    """TCP_USER_TIMEOUT of two seconds: sent at, and when the error is there."""
    fd = link.accept(1004, option(TCP, USER_TIMEOUT, 2000))
    begin, sent = link.now(), []
    fd.send(b"x")
    while not fd.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) and link.now() < begin + 8000:
        segment = link.read(link.now() + 4)
        if segment and segment.data:
            sent.append(round(segment.at - begin))
    return {"sent": sent, "error": [round(link.now() - begin)]}


def keepalive(link):
    """A second of silence, probes a second apart, three of them."""

    def prepare(fd):
        fd.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 3)):
            fd.setsockopt(TCP, name, value)

    fd = link.accept(1005, prepare)
    segments = []
    times = link.collect(4600, then=lambda s: segments.append(s))
    fd.close()
    kinds = ["rst" if s.flags & RST else "probe" for s in segments]
    return {"probe": [t for t, k in zip(times, kinds) if k == "probe"], "rst": [t for t, k in zip(times, kinds) if k == "rst"]}


def zero_window(link):
    """A window that is shut: the probes, none of which is answered after the first two."""
    fd = link.accept(1006)
    fd.send(b"a")
    first = link.read(link.now() + 1000)
    link.window = 0
    link.acknowledge(first)
    time.sleep(0.005)
    fd.send(b"b" * 100)
    return {"probe": link.collect(7000)}


def delayed(link):
    """Small segments, each 5 ms after the one before: which are acknowledged at once, and how late the next is."""
    fd = link.accept(1007)
    late = []
    for _ in range(24):
        link.send(ACK | PSH, b"x" * 100)
        link.seq += 100
        begin = link.now()
        answer = link.read(begin + 500)
        late.append(round(answer.at - begin) if answer else None)
        time.sleep(0.005)
    fd.close()
    return {"late": late}


def answering(link):
    """An end that has just answered: its acknowledgement of the next data waits 40 ms."""
    fd = link.accept(1008)
    link.send(ACK | PSH, b"question")
    link.seq += 8
    link.drain()
    fd.send(b"answer")
    link.acknowledge(link.read(link.now() + 1000))
    link.send(ACK | PSH, b"question")
    link.seq += 8
    return {"ack": link.collect(500)}


def nagle(link):
    """A small segment behind one that is not acknowledged waits for that."""
    fd = link.accept(1009)
    fd.send(b"one")
    first = link.read(link.now() + 1000)
    begin = link.now()
    fd.send(b"two")
    link.later.append((begin + 50, lambda: link.acknowledge(first)))
    return {"second": link.collect(150, lambda s: s.data)}


def cork(link):
    """What is corked goes out after 200 ms and a little."""
    fd = link.accept(1010, option(TCP, socket.TCP_CORK, 1))
    fd.send(b"corked")
    return {"sent": link.collect(600, lambda s: s.data)[:1]}


def sack(link, segments, upto):
    """Acknowledges nothing new, and tells that the second to the last of some segments have come."""
    first = segments[0]
    blocks = b"\1\1" + struct.pack("!BBII", 8, 10, int(link.now()) + 1, first.clock())
    blocks += b"\1\1" + struct.pack("!BBII", 5, 10, segments[1].seq, segments[upto].end())
    link.send(ACK, ack=first.seq, options=blocks)


def lost_first(link, port, acks):
    """Ten full segments, the first of which is lost: when it is sent again after so many acknowledgements of others."""
    fd = link.accept(port)
    link.drain()
    fd.send(b"z" * 14480)
    segments = []
    while len(segments) < 10 and (s := link.read(link.now() + 300)):
        segments.append(s)
    for n in range(1, acks + 1):
        sack(link, segments, n)
    return link.collect(300, lambda s: s.seq == segments[0].seq)[:1]


def reordered(link):
    """One later segment has come: the first is given a little time, and then sent again."""
    return {"again": lost_first(link, 1017, 1)}


def dup_acks(link):
    """Three later ones have come: it is sent again at once."""
    return {"again": lost_first(link, 1011, 3)}


def fin(link):
    """A FIN without an answer, of a closed socket."""
    fd = link.accept(1012)
    fd.close()
    return {"fin": link.collect(3500, lambda s: s.flags & FIN)}


def listening(link):
    """A SYN whose SYN-ACK is not answered."""
    link.watched = 1013
    server = socket.socket()
    server.bind((HERE, 1013))
    server.listen(5)
    link.send(SYN, to=1013, own=40001, seq=7, ack=0, options=b"\2\4\5\xb4")
    return {"synack": link.collect(7500, lambda s: s.flags & SYN)}


def deferred(link):
    """TCP_DEFER_ACCEPT of three seconds: when the SYN-ACK comes again, and when accept gives the connection."""
    link.watched = 1014
    server = socket.socket()
    server.setsockopt(TCP, socket.TCP_DEFER_ACCEPT, 3)
    server.bind((HERE, 1014))
    server.listen(5)
    server.setblocking(False)
    begin = link.now()
    link.send(SYN, to=1014, own=40002, seq=7, ack=0, options=b"\2\4\5\xb4")
    seen, accepted = [], None
    while link.now() < begin + 4500 and accepted is None:
        s = link.read(link.now() + 5)
        if s and s.flags & SYN:
            seen.append(round(s.at - begin))
            link.send(ACK, to=1014, own=40002, seq=8, ack=s.end(), options=b"")
        try:
            server.accept()
            accepted = round(link.now() - begin)
        except BlockingIOError:
            pass
    return {"synack": seen, "accepted": [accepted]}


def half_open(link):
    """A SYN on a connection that this end believes to live: a challenge, and after its reset the end."""
    fd = link.accept(1015)
    link.send(SYN, seq=5, ack=0, options=b"\2\4\5\xb4")
    answer = link.read(link.now() + 1000)
    challenge = bool(answer and answer.flags == ACK)
    link.send(RST, seq=answer.ack, options=b"")
    link.drain()
    return {"challenge": [int(challenge)], "error": [fd.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]}


def disowned(link):
    """An answer to a SYN that is of an old connection: the reset, and how soon the SYN comes again."""
    link.watched = 1016
    fd = socket.socket()
    fd.setblocking(False)
    fd.connect_ex((THERE, 1016))
    syn = link.read(link.now() + 1000)
    link.far_port, link.port = 1016, syn.sport
    link.send(ACK, ack=syn.seq - 100, options=b"")
    segments = []
    times = link.collect(100, then=lambda s: segments.append(s))
    return {
        "rst": [t for t, s in zip(times, segments) if s.flags & RST],
        "syn": [t for t, s in zip(times, segments) if s.flags & SYN],
    }


SCENARIOS = [
    connecting, tail, two, user_timeout, keepalive, zero_window, delayed, answering, nagle, cork, reordered, dup_acks, fin,
    listening, deferred, half_open, disowned,
]


# What the simulated table does in the same scripts, in milliseconds; its round trip is 0.2 ms where the judge's is 1.
AGREED = {
    ("connecting", "syn"): [0, 1000, 2000, 3000, 4000, 5000, 7000],
    ("tail", "sent"): [0, 204, 408, 816, 1632, 3264],
    ("two", "sent"): [0, 0, 4, 208, 616, 1432],
    ("user_timeout", "sent"): [0, 204, 408, 816, 1632],
    ("user_timeout", "error"): [2408],
    ("keepalive", "probe"): [1000, 2000, 3000],
    ("keepalive", "rst"): [4000],
    ("zero_window", "probe"): [204, 612, 1428, 3060, 6324],
    ("delayed", "late"): [0] * 16 + [40] * 8,
    ("answering", "ack"): [40],
    ("nagle", "second"): [50],
    ("cork", "sent"): [204],
    ("reordered", "again"): [4],
    ("dup_acks", "again"): [0],
    ("fin", "fin"): [0, 204, 408, 816, 1632, 3264],
    ("listening", "synack"): [0, 1000, 3000, 7000],
    ("deferred", "synack"): [0, 3000],
    ("deferred", "accepted"): [3000],
    ("half_open", "challenge"): [1],
    ("half_open", "error"): [104],
    ("disowned", "rst"): [0],
    ("disowned", "syn"): [8],
}


def agrees(seen, agreed):
    """Whether times are the agreed ones, but for what the timer wheel adds (an eighth) and a busy machine."""
    return len(seen) == len(agreed) and all(s is not None and a - 6 <= s <= a * 9 / 8 + 40 for s, a in zip(seen, agreed))


def main():
    wanted = [word for word in sys.argv[1:] if word != "--check"]
    check, wrong = "--check" in sys.argv, 0
    try:
        link = Link()
    except OSError as error:
        print(f"this machine has no network namespace or no TUN device: {error}")
        sys.exit(SKIP)
    for scenario in SCENARIOS:
        if wanted and scenario.__name__ not in wanted:
            continue
        link.drain()
        link.later.clear()
        for name, times in scenario(link).items():
            note = ""
            if check and not agrees(times, AGREED[scenario.__name__, name]):
                wrong += 1
                note = f"  instead of {AGREED[scenario.__name__, name]}"
            print(f"{scenario.__name__:13} {name:9} {' '.join(map(str, times))}{note}", flush=True)
    sys.exit(wrong > 0)


main()
