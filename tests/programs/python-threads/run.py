"""Locks, conditions, queues, semaphores, barriers, thread pools and thread-local data."""

import concurrent.futures
import queue
import threading
import time

counter = 0
lock = threading.Lock()


def count(times: int) -> None:
    global counter
    for _ in range(times):
        with lock:
            counter += 1


threads = [threading.Thread(target=count, args=(5000,)) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("counted", counter)

jobs: queue.Queue[int | None] = queue.Queue(maxsize=4)
squares: queue.Queue[int] = queue.Queue()


def square() -> None:
    while (job := jobs.get()) is not None:
        squares.put(job * job)
        jobs.task_done()


workers = [threading.Thread(target=square) for _ in range(4)]
for worker in workers:
    worker.start()
for job in range(500):
    jobs.put(job)
jobs.join()
for _ in workers:
    jobs.put(None)
for worker in workers:
    worker.join()
print("squares", sum(squares.get() for _ in range(500)))

turn = 0
changed = threading.Condition()
order: list[int] = []


def take_turns(me: int) -> None:
    global turn
    for _ in range(50):
        with changed:
            changed.wait_for(lambda: turn == me)
            order.append(me)
            turn = (turn + 1) % 3
            changed.notify_all()


players = [threading.Thread(target=take_turns, args=(i,)) for i in range(3)]
for player in players:
    player.start()
for player in players:
    player.join()
print("turns", len(order), order[:6], order == [0, 1, 2] * 50)

barrier = threading.Barrier(5)
places = []


def race() -> None:
    places.append(barrier.wait(timeout=10))


racers = [threading.Thread(target=race) for _ in range(5)]
for racer in racers:
    racer.start()
for racer in racers:
    racer.join()
print("barrier", sorted(places))

with concurrent.futures.ThreadPoolExecutor(max_workers=6) as pool:
    print("pool", sum(pool.map(lambda n: n * 2, range(200))))
    slow = [pool.submit(time.sleep, 0.05 * n) for n in range(5)]
    done, _ = concurrent.futures.wait(slow, timeout=10)
    print("slept", len(done))

began = time.monotonic()
print("lock free:", not lock.locked(), "timed out:", not threading.Event().wait(0.2), time.monotonic() - began >= 0.2)
ticks: list[int] = []
timer = threading.Timer(0.1, ticks.append, [1])
timer.start()
timer.join()
print("timer", ticks)

local = threading.local()
seen = []


def keep(value: int) -> None:
    local.value = value
    time.sleep(0.01)
    seen.append(local.value == value)


keepers = [threading.Thread(target=keep, args=(i,)) for i in range(10)]
for keeper in keepers:
    keeper.start()
for keeper in keepers:
    keeper.join()
print("local", all(seen), hasattr(local, "value"))


def spin(stop: list[bool]) -> None:
    while not stop[0]:
        pass


flag = [False]
spinner = threading.Thread(target=spin, args=(flag,))
spinner.start()
time.sleep(0.1)
flag[0] = True
spinner.join()
print("the spinner saw the flag")
