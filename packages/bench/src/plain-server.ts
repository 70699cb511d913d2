import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The least that can answer: prints its port. */
const server = createServer((_, response) => response.end("ok"));
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${port}\n`);
});
