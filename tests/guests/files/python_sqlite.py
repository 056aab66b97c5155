# sqlite3 on disk: its locks, its journal, in both modes, from two processes.
import os
import shutil
import sqlite3
import tempfile

folder = tempfile.mkdtemp(prefix="guest-", dir="/tmp")
try:
    for mode in ["delete", "wal"]:
        path = os.path.join(folder, mode + ".db")
        base = sqlite3.connect(path, timeout=20)
        assert base.execute(f"pragma journal_mode={mode}").fetchone()[0] == mode
        base.execute("create table entries (writer, number)")
        base.commit()
        children = []
        for writer in range(2):
            pid = os.fork()
            if pid == 0:
                own = sqlite3.connect(path, timeout=20, isolation_level=None)
                for number in range(20):
                    own.execute("begin immediate")
                    own.execute("insert into entries values (?, ?)", (writer, number))
                    own.execute("commit")
                os._exit(0)
            children.append(pid)
        for pid in children:
            assert os.waitpid(pid, 0)[1] == 0
        assert base.execute("select count(*), sum(number) from entries").fetchone() == (40, 380)
        assert base.execute("pragma integrity_check").fetchone()[0] == "ok"
        base.execute("delete from entries where number % 2")
        base.rollback()
        assert base.execute("select count(*) from entries").fetchone()[0] == 40
        base.close()
finally:
    shutil.rmtree(folder)
