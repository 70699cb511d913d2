import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePort } from "./free-port.ts";

/** Always the same place to begin looking. */
const fixed = (port: number) => () => (port - 20_000) / 12_000;

test("gives a port to listen on", async () => {
  const port = await freePort();
  await using server = createServer().listen(port, "127.0.0.1");
  await expect(once(server, "listening")).resolves.toEqual([]);
});

test("never gives the same port twice, used or not", async () => {
  const port = await freePort();
  expect(await freePort(fixed(port))).not.toBe(port);
});

test("gives different ports to those who ask at the same time", async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort(fixed(25_000))));
  expect(new Set(ports).size).toBe(20);
});

test("gives no port that somebody uses, for TCP or for UDP", async () => {
  const [tcp, udp] = [31_901, 31_903];
  await using server = createServer().listen(tcp, "127.0.0.1");
  await using socket = createSocket("udp4").bind(udp, "127.0.0.1");
  await Promise.all([once(server, "listening"), once(socket, "listening")]);
  expect(await freePort(fixed(tcp))).not.toBe(tcp);
  expect(await freePort(fixed(udp))).not.toBe(udp);
});
