"""Histories and generators for workloads that run in a Snowglobe world.

One file, no dependencies: copy it beside a workload, or install it with pip.

    import snowglobe

    history = snowglobe.History(model="register")
    client = history.process()

    for f, key, value in snowglobe.register_operations(keys=3, count=100):
        with client.operation(f, key, value) as op:
            if f == "read":
                op.ok(db.get(key))
            elif f == "write":
                db.put(key, value)          # op.ok() is what leaving the block without an error means
            elif not db.compare_and_set(key, *value):
                op.fail("the value was another one")

An error that leaves the block makes the outcome unknown ("info"), since the operation may have happened; so does a timeout. Raise
or call ``fail`` only where the operation certainly did not happen and will not. Reads that fail have no effect and are
written as "fail". After an unknown outcome the client goes on as a new process, as models ask for.
"""

import contextlib
import json
import os
import random
import threading
import time

__all__ = [
    "History",
    "Process",
    "Operation",
    "Failed",
    "register_operations",
    "set_operations",
    "queue_operations",
    "counter_operations",
    "append_transactions",
]


class Failed(Exception):
    """Raised inside an operation: it did not happen, and will not."""


class History:
    """A history file. Each event is one line, written by one call as it happens.

    The path is the argument, or what the variable SNOWGLOBE_HISTORY says, or standard output. It may be shared by threads.
    """

    def __init__(self, path=None, model=None):
        path = path or os.environ.get("SNOWGLOBE_HISTORY") or "/dev/stdout"
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._lock = threading.Lock()
        self._processes = 0
        if model is not None:
            self._write({"model": model})

    def _write(self, event):
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            while line:
                line = line[os.write(self._fd, line):]

    def event(self, kind, process, f, key=None, value=None, error=None):
        """Writes one event: kind is invoke, ok, fail or info."""
        event = {"type": kind, "process": process, "f": f}
        if key is not None:
            event["key"] = key
        event["value"] = value
        event["time"] = time.monotonic_ns()
        if error is not None:
            event["error"] = str(error)
        self._write(event)

    def process(self):
        """A client of this history: one for each thread."""
        return Process(self)

    def _new_process(self):
        with self._lock:
            self._processes += 1
            return self._processes - 1

    def close(self):
        os.close(self._fd)


class Process:
    """Who makes operations, one at a time."""

    #: Operations that change nothing: without an answer they have not happened.
    READS = frozenset(["read", "r", "get"])

    def __init__(self, history):
        self._history = history
        self.number = history._new_process()

    @contextlib.contextmanager
    def operation(self, f, key=None, value=None, swallow=(Exception,)):
        """One operation. Errors of the classes ``swallow`` end it and go no further; others are passed on."""
        operation = Operation(self, f, key, value)
        try:
            yield operation
        except Failed as error:
            operation.fail(error)
        except BaseException as error:
            if not operation.done:
                operation.info(error)
            if not isinstance(error, swallow):
                raise
        else:
            if not operation.done:
                operation.ok(value)

    def call(self, f, function, key=None, value=None, retries=0, pause=0.1):
        """Makes an operation by calling a function, whose answer is the operation's. An attempt whose outcome is unknown is an
        operation of its own: what is tried again is a new one. Returns the answer, or None."""
        for attempt in range(retries + 1):
            with self.operation(f, key, value) as operation:
                operation.ok(function())
            if operation.done == "ok":
                return operation.answer
            if attempt < retries:
                time.sleep(pause)
        return None


class Operation:
    """One operation, until it is done."""

    def __init__(self, process, f, key, value):
        self._process, self.f, self.key, self.value = process, f, key, value
        self.done = None
        self.answer = None
        process._history.event("invoke", process.number, f, key, value)

    def _end(self, kind, value, error=None):
        if self.done:
            raise RuntimeError("the operation has ended already")
        self.done = kind
        self._process._history.event(kind, self._process.number, self.f, self.key, value, error)

    def ok(self, value=None):
        """It happened. The value is what a read answered; without one it is what was asked."""
        self.answer = self.value if value is None and self.f not in Process.READS else value
        self._end("ok", self.answer)

    def fail(self, error=None):
        """It did not happen, and will not."""
        self._end("fail", self.value, error)

    def info(self, error=None):
        """Nobody knows whether it happened."""
        if self.f in Process.READS:
            return self.fail(error)
        self._end("info", self.value, error)
        self._process.number = self._process._history._new_process()


def _random(seed):
    # In a world, the system's random numbers come from its seed.
    return random.Random(seed) if seed is not None else random.SystemRandom()


def register_operations(keys=3, count=100, seed=None, values=5):
    """read, write and cas on some registers: (f, key, value)."""
    dice = _random(seed)
    for _ in range(count):
        f, key = dice.choice(["read", "write", "cas"]), dice.randrange(keys)
        value = {"read": None, "write": dice.randrange(values)}.get(f, [dice.randrange(values), dice.randrange(values)])
        yield f, key, value


def set_operations(count=100, first=0, reads=0.1, seed=None):
    """add of elements that are all different, and a read now and then: (f, key, value). End with a read of your own."""
    dice = _random(seed)
    for element in range(first, first + count):
        yield "add", None, element
        if dice.random() < reads:
            yield "read", None, None


def queue_operations(count=100, first=0, seed=None):
    """enqueue of elements that are all different, and dequeue. End with dequeues until nothing comes."""
    dice = _random(seed)
    for element in range(first, first + count):
        yield "enqueue", None, element
        if dice.random() < 0.5:
            yield "dequeue", None, None


def counter_operations(count=100, reads=0.3, seed=None):
    """add of small numbers, and reads."""
    dice = _random(seed)
    for _ in range(count):
        yield ("read", None, None) if dice.random() < reads else ("add", None, dice.randrange(1, 6))


_appended = iter(range(1, 1 << 62))


def append_transactions(keys=3, count=100, length=4, writes_per_key=32, first=0, seed=None):
    """Transactions on lists: each a list of ["append", key, value] and ["r", key, None]. Fill in what the reads saw and answer with
    the list. Values are all different; keys are left for new ones as they fill up."""
    dice = _random(seed)
    written = 0
    for _ in range(count):
        micros = []
        for _ in range(dice.randrange(1, length + 1)):
            key = written // (keys * writes_per_key) * keys + dice.randrange(keys)
            if dice.random() < 0.5:
                micros.append(["r", key, None])
            else:
                written += 1
                micros.append(["append", key, first + next(_appended)])
        yield micros
