// Answers every request with a count; ends after the tenth.
const http = require("node:http");

let count = 0;
const server = http.createServer((request, response) => {
  count += 1;
  response.end(`${request.url} is request ${count}\n`);
  if (count === 10) server.close();
});
server.keepAliveTimeout = 100;
server.listen(Number(process.env.PORT ?? 8080));
