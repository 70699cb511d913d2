import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { isLoopback, openSockets } from "../open-sockets.ts";
import { startRedis } from "./redis.ts";
import { isMissing } from "./server-at-hand.ts";

describe.skipIf(await isMissing("Redis"))("Redis", () => {
  test("answers on the loopback address only", async () => {
    await using redis = await startRedis();
    expect(await ask(redis.port, "PING")).toBe("+PONG");
    const sockets = await openSockets(redis.pid);
    expect(sockets.map(({ port }) => port)).toContain(redis.port);
    expect(sockets.filter((socket) => !isLoopback(socket))).toEqual([]);
  });

  test("never throws data away to make room, unless told to", async () => {
    await using redis = await startRedis();
    expect(await ask(redis.port, "CONFIG GET maxmemory-policy")).toContain("noeviction");
    await using other = await startRedis({ maxmemoryPolicy: "allkeys-lru", maxmemoryBytes: 10_000_000 });
    expect(await ask(other.port, "CONFIG GET maxmemory-policy")).toContain("allkeys-lru");
    expect(await ask(other.port, "CONFIG GET maxmemory")).toContain("10000000");
  });

  test("forgets everything when killed, but nothing with an append-only file", async () => {
    await using forgetful = await startRedis();
    await using faithful = await startRedis({ appendOnly: true });
    for (const redis of [forgetful, faithful]) {
      expect(await ask(redis.port, "SET key value")).toBe("+OK");
      await redis.kill();
      await redis.start();
    }
    expect(await ask(forgetful.port, "GET key")).toBe("$-1");
    expect(await ask(faithful.port, "GET key")).toContain("value");
  });

  test("wants the password it was given", async () => {
    await using redis = await startRedis({ password: 'a "b" \\c/@' });
    expect(await ask(redis.port, "GET key")).toContain("NOAUTH");
    expect(decodeURIComponent(new URL(redis.url).password)).toBe(redis.password);
    const login = `*2\r\n$4\r\nAUTH\r\n$${redis.password.length}\r\n${redis.password}`;
    expect(await ask(redis.port, login)).toBe("+OK");
  });
});

/** Sends one inline or RESP command and returns the first answer. */
async function ask(port: number, command: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  try {
    socket.write(`${command}\r\n`);
    const [answer]: Buffer[] = await once(socket, "data");
    return String(answer).trim();
  } finally {
    socket.destroy();
  }
}
