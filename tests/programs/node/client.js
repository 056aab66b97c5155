// Requests one by one and at once, worker threads with shared memory, children, files, timers, and a digest.
const { once } = require("node:events");
const { Worker, isMainThread, workerData, parentPort } = require("node:worker_threads");
const { execFile, fork, spawn } = require("node:child_process");
const { createHash, pbkdf2 } = require("node:crypto");
const { promisify } = require("node:util");
const fs = require("node:fs/promises");
const os = require("node:os");
const path = require("node:path");
const zlib = require("node:zlib");
const net = require("node:net");

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function main(host, port) {
  const url = `http://${host}:${port}`;
  const ask = async (place, options) => (await fetch(url + place, options)).text();
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      await ask("/hello");
      break;
    } catch {
      await sleep(50);
    }
  }

  console.log("-- http");
  process.stdout.write(await ask("/"));
  console.log((await fetch(`${url}/none`)).status);
  const body = "x".repeat(2_000_000);
  console.log("echo", (await ask("/echo", { method: "POST", body })) === body);
  console.log("stream", (await ask("/stream")).length);
  const all = await Promise.all(Array.from({ length: 40 }, (_, i) => ask(`/many?${i}`)));
  console.log("at once", all.length, new Set(all).size);
  const abort = await ask("/slow", { signal: AbortSignal.timeout(50) }).catch((error) => error.name);
  console.log("aborted", abort);
  const refused = net.connect(port + 1, host);
  console.log("refused", (await once(refused, "error"))[0].code);

  console.log("-- timers");
  const order = [];
  setImmediate(() => order.push("immediate"));
  process.nextTick(() => order.push("tick"));
  Promise.resolve().then(() => order.push("promise"));
  setTimeout(() => order.push("later"), 20);
  let beats = 0;
  const beat = setInterval(() => (beats += 1), 10);
  while (beats < 5) await sleep(10);
  clearInterval(beat);
  console.log(order.join(" "));
  const began = process.hrtime.bigint();
  await sleep(250);
  console.log("slept", process.hrtime.bigint() - began >= 249_000_000n);

  console.log("-- workers");
  const shared = new SharedArrayBuffer(8);
  const workers = Array.from({ length: 4 }, (_, i) => new Worker(__filename, { workerData: { shared, i } }));
  const results = await Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0]));
  console.log(results.sort((a, b) => a - b).join(" "), Atomics.load(new Int32Array(shared), 0));

  console.log("-- children");
  console.log((await promisify(execFile)("echo", ["a child"])).stdout.trim());
  const upper = spawn("tr", ["a-z", "A-Z"]);
  upper.stdin.end("over a pipe");
  console.log(String((await once(upper.stdout, "data"))[0]));
  const failed = spawn("sh", ["-c", "exit 3"]);
  console.log("status", (await once(failed, "close"))[0]);
  const killed = spawn("sleep", ["100"]);
  killed.kill();
  console.log("signal", (await once(killed, "close"))[1]);
  const talker = fork(__filename, ["talk"]);
  const gone = once(talker, "close");
  talker.send({ n: 20 });
  console.log("message", (await once(talker, "message"))[0].n);
  console.log("gone", (await gone)[0]);

  console.log("-- files and work in the pool");
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "node-"));
  const file = path.join(folder, "file");
  const watcher = fs.watch(folder)[Symbol.asyncIterator]();
  const change = watcher.next();
  await sleep(50);
  await fs.writeFile(file, body);
  console.log("watched", (await change).value.filename);
  await watcher.return();
  await fs.appendFile(file, "end");
  console.log((await fs.stat(file)).size, (await fs.readFile(file)).subarray(-3).toString());
  const packed = await promisify(zlib.gzip)(body);
  console.log("packed", packed.length < 10_000, (await promisify(zlib.gunzip)(packed)).length);
  const keys = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => promisify(pbkdf2)("word", `${n}`, 2000, 8, "sha256")));
  console.log(createHash("sha256").update(Buffer.concat(keys)).digest("hex").slice(0, 16));
  await fs.rm(folder, { recursive: true });
  process.once("SIGUSR2", () => console.log("caught SIGUSR2"));
  process.kill(process.pid, "SIGUSR2");
  await sleep(50);
  process.stdout.write(await ask("/end"));
}

function work({ shared, i }) {
  const counter = new Int32Array(shared);
  for (let n = 0; n < 10_000; n++) Atomics.add(counter, 0, 1);
  if (i > 0) Atomics.wait(counter, 1, 0);
  else {
    Atomics.store(counter, 1, 1);
    Atomics.notify(counter, 1);
  }
  parentPort.postMessage(i * i);
}

if (!isMainThread) work(workerData);
else if (process.argv[2] === "talk") process.once("message", ({ n }) => process.send({ n: n * 2 }));
else main(process.argv[2], Number(process.argv[3]));
