import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { tempDir } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";

import { healthcheck } from "./healthcheck.ts";
import type { HealthcheckOptions } from "./healthcheck.ts";

/** A service whose /healthz answers with a status; "hang" never answers. */
async function service(status: number | "hang" = 200, host = "127.0.0.1") {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (status !== "hang") response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function check(options: Partial<HealthcheckOptions>): Promise<[code: 0 | 1, reason: string]> {
  const reasons: string[] = [];
  const report = (reason: string) => reasons.push(reason);
  const code = await healthcheck({ argv: ["healthcheck"], env: {}, defaultAddr: ":1", report, ...options });
  return [code, reasons.join("\n")];
}

test("is well when the service on the default address answers 200", async () => {
  await using running = await service();
  const { port, asked } = running;
  expect(await check({ defaultAddr: `:${port}` })).toEqual([0, ""]);
  expect(asked).toEqual(["/healthz"]);
});

test("is not well when the service answers anything else", async () => {
  await using running = await service(503);
  const { port } = running;
  expect(await check({ defaultAddr: `:${port}` })).toEqual([
    1,
    `http://127.0.0.1:${port}/healthz answered 503`,
  ]);
});

test("is not well when nobody listens", async () => {
  const [code, reason] = await check({});
  expect(code).toBe(1);
  expect(reason).toContain("asking http://127.0.0.1:1/healthz: connect ECONNREFUSED");
});

test("is not well when the service does not answer in time", async () => {
  await using running = await service("hang");
  const { port } = running;
  const [code, reason] = await check({ defaultAddr: `:${port}`, timeoutMs: 50 });
  expect([code, reason]).toEqual([1, `asking http://127.0.0.1:${port}/healthz: no answer within 50 ms`]);
});

test("reads the address in the order of the settings: flag, file, variable, further variables, default", async () => {
  await using right = await service(200);
  await using wrong = await service(500);
  await using dir = await tempDir();
  const file = join(dir.path, "addr");
  await writeFile(file, `127.0.0.1:${right.port}\n`);
  const [good, bad] = [`:${right.port}`, `:${wrong.port}`];
  const addrEnv = ["QBSYNC_SOURCE_HEALTH_ADDR", "HEALTH_PORT"];
  const codes = [
    await check({ argv: ["healthcheck", "--health-addr", good], env: { HEALTH_ADDR: bad } }),
    await check({ argv: [`--health-addr=${bad}`, `--health-addr=${good}`, "healthcheck"] }),
    await check({ env: { HEALTH_ADDR_FILE: file, HEALTH_ADDR: bad }, defaultAddr: bad }),
    await check({ env: { HEALTH_ADDR: good, HEALTH_PORT: bad }, defaultAddr: bad, addrEnv }),
    await check({ env: { HEALTH_ADDR: "", HEALTH_PORT: String(right.port) }, defaultAddr: bad, addrEnv }),
    await check({ argv: ["--http", good], env: { HEALTH_ADDR: bad }, flag: "--http" }),
  ];
  expect(codes.map(([code]) => code)).toEqual([0, 0, 0, 0, 0, 0]);
});

test.each(["0.0.0.0", "127.0.0.1", "localhost", "[::]", ""])(
  "asks on loopback when told %j",
  async (host) => {
    await using running = await service();
    const { port } = running;
    expect(await check({ defaultAddr: `${host}:${port}` })).toEqual([0, ""]);
  },
);

test("asks an IPv6 address when the service listens on one", async () => {
  await using running = await service(200, "::1");
  const { port } = running;
  expect(await check({ defaultAddr: `[::1]:${port}` })).toEqual([0, ""]);
});

test("an address that is none is said to be so", async () => {
  expect(await check({ env: { HEALTH_ADDR: "http://x" } })).toEqual([
    1,
    "http://x is not an address; expected :9101 or 127.0.0.1:9101",
  ]);
});
