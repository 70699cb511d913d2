import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { program } from "./program.ts";
import { showStatus } from "./show-status.ts";

/** A terminal on which nothing is shown, and the words of the command. */
function terminal(argv: string[], env: Record<string, string> = {}) {
  const screens: string[] = [];
  let err = "";
  const process = {
    argv: ["node", "main.ts", ...argv],
    env,
    stdout: { write: (text: string) => screens.push(text), isTTY: true, columns: 80, rows: 12 },
    stderr: { write: (text: string) => (err += text) },
    exitCode: undefined as number | string | null | undefined,
    on: () => {},
    exit: () => {},
  };
  return { process, screens, err: () => err };
}

/** A service that tells one status after the other, and then that it is not there yet. */
async function serving(statuses: readonly object[]) {
  const left = [...statuses];
  const server = createServer((_, response) => {
    const status = left.shift();
    if (status === undefined) response.writeHead(503).end("starting\n");
    else response.end(JSON.stringify(status));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a TCP server
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: close };
}

const status = (bytes: number | null) => ({
  address: "nas:50051",
  destination: { program: "stand-in", connections: 1 },
  dry_run: true,
  in_flight_bytes: 0,
  sent_bytes: bytes ?? 0,
  answer_ms: null,
  torrents: [
    { id: "a", name: "film", state: "syncing", size_bytes: 1e6, here: 1, there_bytes: bytes },
    { id: "b", name: "empty", state: "syncing", size_bytes: 0, here: 1, there_bytes: 0 },
  ],
});

const options = { defaultAddr: "127.0.0.1:1", addrEnv: ["ADDR"], everyMs: 5 };

test("on a terminal each look is drawn over the last one, in colour, until the service ends", async () => {
  await using service = await serving([status(null), status(1000), status(500_000), status(900_000)]);
  const { process, screens, err } = terminal(["status"], { ADDR: service.address });
  expect(await showStatus(process, options)).toBe(1);
  expect(screens).toHaveLength(3);
  expect(screens[0]).not.toContain("\u001b[J");
  const lines = screens[0]!.split("\n").length - 1;
  for (const screen of screens.slice(1)) expect(screen.startsWith(`\u001b[${lines}A\u001b[J`)).toBe(true);
  expect(screens[0]).toContain("dry run: nothing is sent");
  expect(screens[2]).toContain("\u001b[32m█");
  expect(screens[2]).toMatch(/film .* 90 %/);
  expect(err()).toContain("503 starting");
});

test("NO_COLOR is heeded, and --once looks at two and ends", async () => {
  await using service = await serving([status(0), status(0)]);
  const { process, screens } = terminal(["status", "--once", "--health-addr", service.address], {
    NO_COLOR: "1",
  });
  expect(await showStatus(process, options)).toBe(0);
  expect(screens.join("")).not.toContain("\u001b");
  expect(screens.join("")).toContain("film");
});

test("the word of the other image is told to be that", async () => {
  const { process, err } = terminal(["destination"]);
  await program(process);
  expect(process.exitCode).toBe(2);
  expect(err()).toContain("qbsync-destination");
});
