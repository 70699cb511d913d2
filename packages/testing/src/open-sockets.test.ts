import { createServer } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { freePort } from "./free-port.ts";
import { isLoopback, openSockets } from "./open-sockets.ts";

for (const [address, isPrivate] of [
  ["127.0.0.1", true],
  ["::1", true],
  ["0.0.0.0", false],
  ["::", false],
] as const) {
  test(`a socket bound to ${address} is ${isPrivate ? "for this machine only" : "open to the network"}`, async () => {
    const port = await freePort();
    await using server = createServer().listen(port, address);
    await once(server, "listening");
    const socket = (await openSockets(process.pid)).find((candidate) => candidate.port === port);
    expect(socket).toMatchObject({ address });
    expect(socket && isLoopback(socket)).toBe(isPrivate);
  });
}
