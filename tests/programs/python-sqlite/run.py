"""SQLite on disk: journals of both kinds, locks between processes, a lost transaction, a backup, an integrity check."""

import os
import sqlite3
import tempfile

os.chdir(tempfile.mkdtemp())


def open_books() -> sqlite3.Connection:
    books = sqlite3.connect("books.db", timeout=20, isolation_level=None)
    books.execute("PRAGMA synchronous = FULL")
    return books


books = open_books()
for mode in ("DELETE", "WAL"):
    print("journal", books.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0])
    books.execute("DROP TABLE IF EXISTS account")
    books.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT, balance INTEGER)")
    books.execute("BEGIN")
    books.executemany("INSERT INTO account (owner, balance) VALUES (?, ?)", ((f"owner {n}", 100) for n in range(2000)))
    books.execute("COMMIT")
    books.execute("CREATE INDEX by_owner ON account (owner)")

    children = []
    for n in range(4):
        if (pid := os.fork()) == 0:
            own = open_books()
            for step in range(25):
                own.execute("BEGIN IMMEDIATE")
                own.execute("UPDATE account SET balance = balance - 1 WHERE id = ?", (1 + (7 * step + n) % 2000,))
                own.execute("UPDATE account SET balance = balance + 1 WHERE id = ?", (1 + (11 * step + n) % 2000,))
                own.execute("COMMIT")
            own.close()
            os._exit(0)
        children.append(pid)
    print("children", [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children])

    if (pid := os.fork()) == 0:
        own = open_books()
        own.execute("BEGIN IMMEDIATE")
        own.execute("DELETE FROM account")
        os._exit(1)
    os.waitpid(pid, 0)
    print("sum", books.execute("SELECT count(*), sum(balance) FROM account").fetchone())

print(books.execute("SELECT owner FROM account WHERE owner LIKE 'owner 19_' ORDER BY owner DESC LIMIT 2").fetchall())
copy = sqlite3.connect("copy.db")
books.backup(copy)
print("backup", copy.execute("SELECT count(*) FROM account").fetchone()[0])
copy.close()
books.execute("VACUUM")
print("integrity", books.execute("PRAGMA integrity_check").fetchone()[0])
first = sqlite3.connect("books.db", timeout=0.1, isolation_level=None)
books.execute("BEGIN EXCLUSIVE")
try:
    first.execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    print("locked:", error)
books.execute("ROLLBACK")
books.close()
first.close()
print("left over", sorted(os.listdir()))
