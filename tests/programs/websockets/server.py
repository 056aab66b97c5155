"""A server of web sockets, and one of files, on two ports."""
import asyncio, functools, http.server, os, sys, tempfile, threading

import websockets


async def answer(connection):
    async for message in connection:
        await connection.send(message[::-1])


async def main(port):
    async with websockets.serve(answer, "0.0.0.0", port, ping_interval=0.2):
        await asyncio.sleep(60)


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"%d bytes" % len(body))


if __name__ == "__main__":
    port = int(sys.argv[1])
    top = tempfile.mkdtemp()
    with open(os.path.join(top, "page"), "w") as page:
        page.write("a page\n" * 10000)
    serve = http.server.ThreadingHTTPServer(("0.0.0.0", port + 1), functools.partial(Handler, directory=top))
    threading.Thread(target=serve.serve_forever, daemon=True).start()
    asyncio.run(main(port))
