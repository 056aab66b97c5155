// Asks ten times, one after the other, and tries again while the server is not yet there.
const host = process.argv[2];
const port = process.env.PORT ?? 8080;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function ask(path) {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      return await (await fetch(`http://${host}:${port}${path}`)).text();
    } catch {
      await sleep(100);
    }
  }
  throw new Error(`${host} does not answer`);
}

(async () => {
  for (let i = 0; i < 10; i++) process.stdout.write(await ask(`/item/${i}`));
})();
