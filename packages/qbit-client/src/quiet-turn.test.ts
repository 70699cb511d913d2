import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { quietTurn } from "./quiet-turn.ts";

async function listening(): Promise<{ port: number; server: Server } & AsyncDisposable> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const close = async () => {
    const closed = once(server, "close");
    server.close();
    await closed;
  };
  return { server, port, [Symbol.asyncDispose]: close };
}

test("all clients that came at once are heard before it is quiet, although a turn hears one", async () => {
  await using at = await listening();
  let heard = 0;
  at.server.on("connection", (socket: Socket) => {
    heard += 1;
    socket.destroy();
  });
  // Node connects to an address of numbers at once, and the kernel takes the connection for whoever listens.
  const clients = Array.from({ length: 50 }, () => connect(at.port, "127.0.0.1").on("error", () => {}));
  await nextTurn();
  expect(heard).toBeLessThan(10);
  await quietTurn(10_000);
  expect(heard).toBe(50);
  for (const client of clients) client.destroy();
});

test("under a flood that never ends it lasts so long and no longer", async () => {
  await using at = await listening();
  at.server.on("connection", (socket: Socket) => socket.on("error", () => {}).pipe(socket));
  const client = connect(at.port, "127.0.0.1");
  let isOver = false;
  client.on("data", (data) => isOver || client.write(data));
  client.write("ping");
  await once(client, "data");
  const startedAt = performance.now();
  await quietTurn(20);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(20);
  isOver = true;
  client.destroy();
});

test("where nobody wants anything it is over at once", async () => {
  let turns = 0;
  const count = () => {
    turns += 1;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  await quietTurn(10_000);
  clearImmediate(counting);
  // What the runner of the tests has to say comes in between.
  expect(turns).toBeLessThan(10);
});
