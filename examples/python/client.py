"""Sleeps for as many seconds as its second argument says, then sends lines to the host in its first."""

import asyncio
import socket
import sys
import time

LINES = ["the same seed", "gives the same run", "to the last event of it"]


async def connect(host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Tries again while the server is not yet there."""
    for _ in range(100):
        try:
            return await asyncio.open_connection(host, 7000)
        except OSError:
            await asyncio.sleep(0.1)
    sys.exit(f"{host} does not answer")


async def main(host: str) -> None:
    reader, writer = await connect(host)
    for line in LINES:
        writer.write(f"{line}\n".encode())
        print(f"{line}: {(await reader.readline()).decode().strip()} words")
    writer.close()
    await writer.wait_closed()


began = time.monotonic()
time.sleep(float(sys.argv[2]))
asyncio.run(main(sys.argv[1]))
print(f"{socket.gethostname()} slept for {int(time.monotonic() - began)} s")
