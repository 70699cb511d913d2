import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { ControlServer, readAnswer } from "./gluetun-control.ts";

const { signal } = new AbortController();

/** A control server that behaves as `listener` says; records the paths asked for. */
async function control(
  listener: RequestListener,
  options: Partial<ConstructorParameters<typeof ControlServer>[0]> = {},
) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    server: new ControlServer({ url: `http://127.0.0.1:${port}`, index: 1, timeoutMs: 2000, ...options }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("the answers of gluetun's versions", () => {
  test.each([
    ["3.38", '{"port":51413}', { kind: "port", port: 51413 }],
    ["3.40 with several", '{"ports":[1111,2222]}', { kind: "port", port: 1111 }],
    ["after 2026-03", '{"port":1111,"ports":[1111,2222]}', { kind: "port", port: 1111 }],
    ["none", '{"port":0}', { kind: "none", cleared: true }],
    ["none, before its service exists", '{"port":0,"ports":null}', { kind: "none", cleared: true }],
    ["none, empty list", '{"port":0,"ports":[]}', { kind: "none", cleared: true }],
    ["an empty object", "{}", { kind: "none", cleared: true }],
    ["a port that cannot be", '{"port":70000}', { kind: "none", cleared: false }],
    ["a fraction", '{"port":1.5}', { kind: "none", cleared: false }],
    ["a login page", "<html></html>", { kind: "none", cleared: false }],
    ["half an answer", '{"port":514', { kind: "none", cleared: false }],
    ["another type", '{"port":"51413"}', { kind: "none", cleared: false }],
    ["no object", "[]", { kind: "none", cleared: false }],
  ])("%s: %s", (_version, body, reading) => {
    expect(readAnswer(body, 1)).toMatchObject(reading);
  });

  test("PORT_INDEX picks among several", () => {
    expect(readAnswer('{"ports":[1111,2222]}', 2)).toMatchObject({ port: 2222 });
    expect(readAnswer('{"port":1111}', 2)).toMatchObject({ kind: "none", cleared: false });
  });
});

test("the new route is asked first, with the key in X-API-Key", async () => {
  await using at = await control(
    (request, response) => {
      const ok = request.headers["x-api-key"] === "k3y";
      response.writeHead(ok ? 200 : 401).end(ok ? '{"port":51413,"ports":[51413]}' : "");
    },
    { apiKey: "k3y" },
  );
  expect(await at.server.read(signal)).toEqual({ kind: "port", port: 51413, source: "control-server" });
  expect(at.asked).toEqual(["GET /v1/portforward"]);
});

test("basic auth is sent when a user is given", async () => {
  await using at = await control(
    (request, response) => {
      const expected = `Basic ${Buffer.from("joe:s3cret").toString("base64")}`;
      response.writeHead(request.headers.authorization === expected ? 200 : 401).end('{"port":51413}');
    },
    { username: "joe", password: "s3cret" },
  );
  expect(await at.server.read(signal)).toMatchObject({ port: 51413 });
});

test("gluetun up to 3.40 is asked by its old route", async () => {
  await using at = await control((request, response) => {
    response.writeHead(request.url === "/v1/openvpn/portforwarded" ? 200 : 404).end('{"port":51413}');
  });
  expect(await at.server.read(signal)).toMatchObject({ port: 51413 });
  expect(at.asked).toEqual(["GET /v1/portforward", "GET /v1/openvpn/portforwarded"]);
});

test("a refusal says which role gluetun wants", async () => {
  await using at = await control((_request, response) => response.writeHead(401).end());
  expect(await at.server.read(signal)).toMatchObject({
    kind: "none",
    cleared: false,
    why: expect.stringMatching(/refuses GET \/v1\/portforward \(401\).*GLUETUN_API_KEY/u),
  });
});

test.each<[string, RequestListener]>([
  ["hangs", () => {}],
  ["resets the connection", (request) => request.socket.destroy()],
  ["fails", (_request, response) => response.writeHead(500).end()],
  [
    "redirects elsewhere",
    (_request, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
  ],
  [
    "never stops talking",
    (_request, response) => {
      const more = () => {
        while (response.writable && response.write(" ".repeat(65_536)));
        if (response.writable) response.once("drain", more);
      };
      more();
    },
  ],
])("a server that %s takes no port away", async (_what, listener) => {
  await using at = await control(listener, { timeoutMs: 300 });
  expect(await at.server.read(signal)).toMatchObject({ kind: "none", cleared: false });
});

test("a server that is not there is told by its error", async () => {
  const server = new ControlServer({ url: "http://127.0.0.1:1", index: 1, timeoutMs: 2000 });
  expect(await server.read(signal)).toMatchObject({
    why: "gluetun's control server does not answer (ECONNREFUSED)",
  });
});
