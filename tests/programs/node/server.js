// Plain answers, streamed ones, echoes of bodies; ends when a client says so.
const http = require("node:http");
const { pipeline } = require("node:stream/promises");
const { Readable } = require("node:stream");

let served = 0;
const server = http.createServer(async (request, response) => {
  served += 1;
  const path = request.url.split("?")[0];
  if (path === "/echo") {
    await pipeline(request, response);
  } else if (path === "/stream") {
    await pipeline(Readable.from((function* () {
      for (let i = 0; i < 1000; i++) yield `${i} `.padEnd(1000, ".");
    })()), response);
  } else if (path === "/slow") {
    setTimeout(() => response.end("slow\n"), 300);
  } else if (path === "/end") {
    response.setHeader("connection", "close");
    response.end("bye\n");
    server.close(() => console.log("served", served));
    setTimeout(() => server.closeAllConnections(), 200);
  } else {
    response.statusCode = path === "/" ? 200 : 404;
    response.end(`${request.method} ${path}\n`);
  }
});
server.listen(Number(process.env.PORT));
