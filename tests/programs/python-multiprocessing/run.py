"""Processes, pools, queues, pipes, locks, shared memory and managers, by each of the three ways to start a child."""

import multiprocessing
import sys
from multiprocessing import shared_memory


def square(n: int) -> int:
    return n * n


def produce(out, first: int) -> None:
    for n in range(first, first + 50):
        out.put(n)


def add(total, lock, times: int) -> None:
    for _ in range(times):
        with lock:
            total.value += 1


def echo(pipe) -> None:
    while (text := pipe.recv()) != "end":
        pipe.send(text.upper())


def fill(name: str, value: int) -> None:
    memory = shared_memory.SharedMemory(name=name)
    memory.buf[value] = value
    memory.close()


def note(shared, key: str) -> None:
    shared[key] = len(key)


def leave(status: int) -> None:
    sys.exit(status)


def all_joined(processes) -> list[int]:
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def try_method(name: str) -> None:
    context = multiprocessing.get_context(name)
    print("--", name)
    with context.Pool(4) as pool:
        print("pool", sum(pool.map(square, range(200), chunksize=10)))
        print("async", pool.apply_async(square, (12,)).get(timeout=30))

    out = context.Queue()
    producers = [context.Process(target=produce, args=(out, n * 50)) for n in range(3)]
    for producer in producers:
        producer.start()
    print("queue", sum(out.get(timeout=30) for _ in range(150)))
    for producer in producers:
        producer.join()

    total, lock = context.Value("l", 0, lock=False), context.Lock()
    adders = [context.Process(target=add, args=(total, lock, 500)) for _ in range(4)]
    print("adders", all_joined(adders), total.value)

    ours, theirs = context.Pipe()
    child = context.Process(target=echo, args=(theirs,))
    child.start()
    ours.send("hello")
    print("pipe", ours.recv())
    ours.send("end")
    child.join()

    memory = shared_memory.SharedMemory(create=True, size=16)
    fillers = [context.Process(target=fill, args=(memory.name, value)) for value in (1, 2, 3)]
    print("shared memory", all_joined(fillers), bytes(memory.buf[:4]).hex())
    memory.close()
    memory.unlink()

    with context.Manager() as manager:
        shared = manager.dict()
        print("manager", all_joined([context.Process(target=note, args=(shared, k)) for k in ("a", "bb")]), sorted(shared.items()))

    print("statuses", all_joined([context.Process(target=leave, args=(n,)) for n in (0, 3)]))
    doomed = context.Process(target=waits_for_ever)
    doomed.start()
    doomed.terminate()
    doomed.join()
    print("terminated", doomed.exitcode)


def waits_for_ever() -> None:
    multiprocessing.get_context().Event().wait()


if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        try_method(method)
