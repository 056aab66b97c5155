"""Streams, datagrams and a unix socket in one loop; ends when a client says so."""

import asyncio
import os
import signal
import sys
import tempfile

host, port = sys.argv[1], int(sys.argv[2])
served = 0


class Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple) -> None:
        self.transport.sendto(data[::-1], address)


async def main() -> None:
    end = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        global served
        while line := await reader.readline():
            served += 1
            if line == b"end\n":
                end.set()
            writer.write(line.upper())
            await writer.drain()
        writer.close()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, end.set)
    transport, _ = await loop.create_datagram_endpoint(Datagrams, local_addr=(host, port))
    path = os.path.join(tempfile.mkdtemp(), "socket")
    local = await asyncio.start_unix_server(serve, path)
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"local\n")
    print("unix socket", (await reader.readline()).decode().strip())
    writer.close()
    async with await asyncio.start_server(serve, host, port, backlog=128, limit=1 << 24):
        await end.wait()
        await asyncio.sleep(0.1)
    transport.close()
    local.close()
    print("served", served)


asyncio.run(main())
