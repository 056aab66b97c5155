# threading: locks, conditions, queues, a pool, timers, thread-local data.
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor

total, lock = 0, threading.Lock()


def add():
    global total
    for _ in range(2000):
        with lock:
            total += 1


threads = [threading.Thread(target=add) for _ in range(5)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert total == 10_000

tasks, results = queue.Queue(maxsize=3), queue.Queue()


def consume():
    while (task := tasks.get()) is not None:
        results.put(task * 2)


consumers = [threading.Thread(target=consume) for _ in range(3)]
for consumer in consumers:
    consumer.start()
for number in range(100):
    tasks.put(number)
for _ in consumers:
    tasks.put(None)
for consumer in consumers:
    consumer.join()
assert sorted(results.queue) == [n * 2 for n in range(100)]

with ThreadPoolExecutor(max_workers=4) as pool:
    assert list(pool.map(lambda n: n + 1, range(50))) == list(range(1, 51))

event, begun = threading.Event(), time.monotonic()
threading.Timer(0.05, event.set).start()
assert event.wait(10)
assert time.monotonic() - begun >= 0.05
assert not threading.Event().wait(0.02)
barrier = threading.Barrier(3)
passed = []
walkers = [threading.Thread(target=lambda: passed.append(barrier.wait())) for _ in range(3)]
for walker in walkers:
    walker.start()
for walker in walkers:
    walker.join()
assert sorted(passed) == [0, 1, 2]
