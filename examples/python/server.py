"""Counts the words of each line that a client sends; ends when two clients have gone."""

import asyncio

EXPECTED_CLIENTS = 2


async def main() -> None:
    gone = asyncio.Semaphore(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(f"{len(line.split())}\n".encode())
            await writer.drain()
        writer.close()
        gone.release()

    async with await asyncio.start_server(serve, "0.0.0.0", 7000):
        for _ in range(EXPECTED_CLIENTS):
            await gone.acquire()


asyncio.run(main())
