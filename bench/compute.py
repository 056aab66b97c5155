"""compute.py sha256 MEBIBYTES | loop COUNT | sqlite ROWS: compute with few system calls."""

import hashlib
import sqlite3
import sys


def sha256(mebibytes: int) -> None:
    digest, block = hashlib.sha256(), bytes(1 << 20)
    for _ in range(mebibytes):
        digest.update(block)
    digest.hexdigest()


def loop(count: int) -> None:
    total = 0
    for n in range(count):
        total = (total * 31 + n) % 1_000_003


def sqlite(rows: int) -> None:
    books = sqlite3.connect(":memory:")
    books.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, owner TEXT, amount INTEGER)")
    books.executemany("INSERT INTO entry (owner, amount) VALUES (?, ?)", ((f"owner {n % 1000}", n) for n in range(rows)))
    books.execute("CREATE INDEX by_owner ON entry (owner)")
    books.execute("SELECT owner, sum(amount) FROM entry GROUP BY owner ORDER BY 2 DESC").fetchall()


{"sha256": sha256, "loop": loop, "sqlite": sqlite}[sys.argv[1]](int(sys.argv[2]))
