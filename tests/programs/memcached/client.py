"""Eight connections at once, so that every thread of the server has some, and the protocol's commands."""

import re
import socket
import sys
import threading
import time

host, port = sys.argv[1], int(sys.argv[2])


class Memcached:
    def __init__(self) -> None:
        self.file = socket.create_connection((host, port)).makefile("rwb")

    def ask(self, text: str, end: bytes | None = None) -> list[str]:
        self.file.write(text.encode())
        self.file.flush()
        lines = [self.file.readline()]
        while end and lines[-1] != end:
            lines.append(self.file.readline())
        return [line.decode().strip() for line in lines]


one = Memcached()
print("version", bool(re.match(r"VERSION \d", one.ask("version\r\n")[0])))
print(one.ask("set greeting 7 0 5\r\nhello\r\n"), one.ask("get greeting\r\n", b"END\r\n"))
print(one.ask("add greeting 0 0 1\r\nx\r\n"), one.ask("append greeting 0 0 1\r\n!\r\n"), one.ask("delete no\r\n"))
print(one.ask("set n 0 0 2\r\n41\r\n"), one.ask("incr n 1\r\n"), one.ask("decr n 10\r\n"))
key = one.ask("gets n\r\n", b"END\r\n")[0].split()[-1]
print("cas", one.ask(f"cas n 0 0 1 {key}\r\n7\r\n"), one.ask(f"cas n 0 0 1 {key}\r\n8\r\n"))
one.ask("set brief 0 1 1\r\nx\r\n")
time.sleep(2.5)
print("expired", one.ask("get brief\r\n"))
large = "x" * 900_000
print("large", one.ask(f"set large 0 0 {len(large)}\r\n{large}\r\n"), len(one.ask("get large\r\n", b"END\r\n")[1]))


def work(number: int) -> None:
    mine = Memcached()
    for step in range(200):
        mine.ask(f"set {number}:{step} 0 0 4\r\n{step:04}\r\n")
        assert mine.ask(f"get {number}:{step}\r\n", b"END\r\n")[1] == f"{step:04}"
        mine.ask("incr total 1\r\n")


one.ask("set total 0 0 1\r\n0\r\n")
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("total", one.ask("get total\r\n", b"END\r\n")[1].strip())
statistics = dict(line.split()[1:3] for line in one.ask("stats\r\n", b"END\r\n")[:-1])
print("threads", statistics["threads"], "items", statistics["curr_items"])

datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.settimeout(5)
datagrams.sendto(b"\x00\x01\x00\x00\x00\x01\x00\x00get greeting\r\n", (host, port))
print("datagram", datagrams.recv(1000)[8:].decode().split())
