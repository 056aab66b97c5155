# multiprocessing by fork, spawn and forkserver: queues, pools, locks, shared values.
import multiprocessing


def work(queue, lock, counter, number):
    with lock:
        counter.value += number
    queue.put(number * number)


def square(number):
    return number * number


def main():
    for method in ["fork", "spawn", "forkserver"]:
        context = multiprocessing.get_context(method)
        queue, lock, counter = context.Queue(), context.Lock(), context.Value("i", 0)
        workers = [context.Process(target=work, args=(queue, lock, counter, n)) for n in range(4)]
        for worker in workers:
            worker.start()
        assert sorted(queue.get() for _ in workers) == [0, 1, 4, 9], method
        for worker in workers:
            worker.join()
            assert worker.exitcode == 0, method
        assert counter.value == 6, method
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert pool.map(square, range(50), chunksize=4) == [n * n for n in range(50)]
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=lambda: there.send(["from", {"the": "child"}]))
    child.start()
    assert here.recv() == ["from", {"the": "child"}]
    child.join()


if __name__ == "__main__":
    main()
