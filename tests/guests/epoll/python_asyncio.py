# asyncio: a server with clients, timers in order, a subprocess, a signal handler.
import asyncio
import os
import signal
import sys


async def echo(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def client(port, name):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in range(10):
        writer.write(f"{name} {number}\n".encode())
        assert await reader.readline() == f"{name} {number}\n".upper().encode()
    writer.close()
    await writer.wait_closed()


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await asyncio.gather(*(client(port, f"client{n}") for n in range(10)))
    server.close()

    order = []

    async def nap(name, seconds):
        await asyncio.sleep(seconds)
        order.append(name)

    await asyncio.gather(nap("c", 0.15), nap("a", 0.01), nap("b", 0.08))
    assert order == ["a", "b", "c"], order
    try:
        await asyncio.wait_for(asyncio.sleep(30), 0.05)
        raise SystemExit("no timeout")
    except asyncio.TimeoutError:
        pass

    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(input()[::-1])", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await child.communicate(b"backwards\n")
    assert out == b"sdrawkcab\n" and child.returncode == 0

    got = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, got.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(got.wait(), 10)
    assert await asyncio.to_thread(lambda: 42) == 42


asyncio.run(main())
