"""Many connections at once, large and small messages, datagrams, limits of time, a child process and threads."""

import asyncio
import hashlib
import sys

host, port = sys.argv[1], int(sys.argv[2])


async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Tries again while the server is not yet there."""
    for _ in range(200):
        try:
            return await asyncio.open_connection(host, port, limit=1 << 24)
        except OSError:
            await asyncio.sleep(0.05)
    sys.exit(f"{host} does not answer")


async def talk(number: int) -> int:
    reader, writer = await connect()
    for step in range(10):
        text = f"client {number} step {step}"
        writer.write(f"{text}\n".encode())
        assert await reader.readline() == f"{text.upper()}\n".encode()
    writer.close()
    await writer.wait_closed()
    return number


class Echo(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, _address: tuple) -> None:
        self.answers.put_nowait(data)


async def main() -> None:
    print("clients", sum(await asyncio.gather(*(talk(n) for n in range(50)))))

    reader, writer = await connect()
    large = b"x" * 5_000_000 + b"\n"
    writer.write(large)
    answer = await reader.readline()
    print("large", hashlib.sha256(answer).hexdigest() == hashlib.sha256(large.upper()).hexdigest())

    transport, echo = await asyncio.get_running_loop().create_datagram_endpoint(Echo, remote_addr=(host, port))
    transport.sendto(b"datagram")
    print("datagram", (await asyncio.wait_for(echo.answers.get(), 5)).decode())
    transport.close()

    try:
        await asyncio.wait_for(reader.readline(), 0.2)
    except TimeoutError:
        print("out of time")
    try:
        await asyncio.open_connection(host, port + 1)
    except ConnectionRefusedError:
        print("refused")

    child = await asyncio.create_subprocess_exec("tr", "a-z", "A-Z", stdin=-1, stdout=-1)
    print("child", (await child.communicate(b"by a child"))[0].decode(), child.returncode)
    print("threads", sum(await asyncio.gather(*(asyncio.to_thread(pow, n, 2) for n in range(20)))))

    queue: asyncio.Queue[int] = asyncio.Queue(2)

    async def produce() -> None:
        for n in range(100):
            await queue.put(n)

    async with asyncio.TaskGroup() as group:
        group.create_task(produce())
        taken = group.create_task(take(queue))
    print("queue", taken.result())

    writer.write(b"end\n")
    print("last", (await reader.readline()).decode().strip())
    writer.close()


async def take(queue: asyncio.Queue[int]) -> int:
    return sum([await queue.get() for _ in range(100)])


asyncio.run(main())
