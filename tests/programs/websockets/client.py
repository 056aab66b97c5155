"""Messages over web sockets, some at a time; pages by urllib."""
import asyncio, sys, time, urllib.error, urllib.request

import websockets


async def talk(host, port, number):
    async with websockets.connect(f"ws://{host}:{port}") as connection:
        await connection.send(f"number {number}")
        return await connection.recv()


async def main(host, port):
    while True:
        try:
            print(await talk(host, port, 0))
            break
        except OSError:
            await asyncio.sleep(0.1)
    print(sorted(await asyncio.gather(*(talk(host, port, n) for n in range(1, 9)))))
    async with websockets.connect(f"ws://{host}:{port}") as connection:
        await connection.send(b"x" * 500000)
        print(len(await connection.recv()))
        await asyncio.sleep(1)
        print(await asyncio.wait_for(await connection.ping(), 5) is not None)


if __name__ == "__main__":
    host, port = sys.argv[1], int(sys.argv[2])
    asyncio.run(main(host, port))
    url = f"http://{host}:{port + 1}"
    print(len(urllib.request.urlopen(f"{url}/page").read()))
    print(urllib.request.urlopen(url, data=b"y" * 100000).read().decode())
    try:
        urllib.request.urlopen(f"{url}/nothing")
    except urllib.error.HTTPError as error:
        print(error.code)
