import { once } from "node:events";
import { connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { gather } from "./gather.ts";

test("what is asked in one turn is answered by one call, each with its own answer", async () => {
  const calls: (readonly number[])[] = [];
  const double = gather((asked: readonly number[]) => {
    calls.push(asked);
    return asked.map((n) => 2 * n);
  });
  await expect(Promise.all([double(1), double(2), double(3)])).resolves.toEqual([2, 4, 6]);
  await expect(double(4)).resolves.toBe(8);
  expect(calls).toEqual([[1, 2, 3], [4]]);
});

test("when the one call fails, all of its askers are told, and the next turn is served", async () => {
  let isFull = true;
  const store = gather((asked: readonly number[]) => {
    if (isFull) throw new Error("disk full");
    return asked;
  });
  const answers = await Promise.allSettled([store(1), store(2)]);
  expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  isFull = false;
  await expect(store(3)).resolves.toBe(3);
});

test("askers that come one in a turn, as clients that connect at once do, are answered by few calls", async () => {
  const calls: number[] = [];
  const store = gather((asked: readonly number[]) => {
    calls.push(asked.length);
    return asked;
  });
  const door = createServer().listen(0, "127.0.0.1");
  await once(door, "listening");
  const address = door.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  let clients = 0;
  const all = new Promise<void>((resolve) => {
    door.on("connection", (socket) => {
      clients += 1;
      const last = clients === 50;
      socket.destroy();
      void store(clients).then(() => (last ? resolve() : undefined));
    });
  });
  for (let nth = 0; nth < 50; nth += 1) connect(port, "127.0.0.1").on("error", () => {});
  await all;
  door.close();
  expect(calls.reduce((sum, length) => sum + length, 0)).toBe(50);
  // One, unless this machine takes longer than the 40 ms that anybody waits.
  expect(calls.length).toBeLessThan(25);
});
