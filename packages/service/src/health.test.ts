import { request as httpRequest } from "node:http";
import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

import { waitFor } from "@qbit-sidecars/testing";
import { afterEach, describe, expect, test } from "vitest";

import { Health } from "./health.ts";
import type { Listener } from "./listen.ts";
import { createMetrics } from "./metrics.ts";
import { memoryLog } from "./test-log.ts";

const servers = () => process.getActiveResourcesInfo().filter((each) => each === "TCPServerWrap").length;
const before = servers();

afterEach(() => waitFor(() => servers() <= before, { what: "the closing of every server", timeoutMs: 1000 }));

async function serve() {
  const { log, lines } = await memoryLog();
  const stop = new AbortController();
  const program = { name: "port-sync", version: "1.2.3" };
  const metrics = createMetrics(program);
  const health = new Health({ ...program, metrics, log, signal: stop.signal });
  const listener = await health.listen({ host: "127.0.0.1", port: 0 });
  return {
    health,
    lines,
    listener,
    stop,
    metrics,
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}

type Answer = { status: number; headers: IncomingHttpHeaders; body: string };

/** Not fetch, which does not let a test set Host. */
function ask(
  { port }: Pick<Listener, "port">,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { body, ...rest } = options;
  return new Promise((resolve, reject) => {
    httpRequest({ host: "127.0.0.1", port, path, agent: false, ...rest }, (response) => {
      const { statusCode = 0, headers } = response;
      text(response).then((answer) => resolve({ status: statusCode, headers, body: answer }), reject);
    })
      .on("error", reject)
      .end(body);
  });
}

async function askJson(listener: Pick<Listener, "port">, path: string): Promise<[number, unknown]> {
  const { status, body } = await ask(listener, path);
  return [status, JSON.parse(body)];
}

describe("/healthz", () => {
  test("answers as long as the process does, with name and version", async () => {
    await using server = await serve();
    const [status, body] = await askJson(server.listener, "/healthz");
    expect(status).toBe(200);
    expect(body).toEqual({
      status: "ok",
      name: "port-sync",
      version: "1.2.3",
      uptimeSeconds: expect.any(Number),
    });
  });
});

describe("/livez", () => {
  test("fails when a loop of the process itself does not turn", async () => {
    await using server = await serve();
    server.health.alive("sync", () => ({ ok: false, detail: "a step has been running for 300 s" }));
    expect(await askJson(server.listener, "/livez")).toEqual([
      503,
      {
        status: "failed",
        checks: { sync: { ok: false, detail: "a step has been running for 300 s" } },
        dependencies: {},
      },
    ]);
  });

  test("tells of every dependency and never fails for one", async () => {
    await using server = await serve();
    server.health.alive("sync", () => ({ ok: true, detail: "waiting" }));
    server.health.dependency("qbittorrent", () => Promise.reject(new Error("refused")));
    server.health.dependency("gluetun", () => ({ ok: true, detail: "answers" }));
    expect(await askJson(server.listener, "/livez")).toEqual([
      200,
      {
        status: "ok",
        checks: { sync: { ok: true, detail: "waiting" } },
        dependencies: {
          qbittorrent: { ok: false, detail: "refused" },
          gluetun: { ok: true, detail: "answers" },
        },
      },
    ]);
  });

  test("answers although a dependency's check hangs", async () => {
    await using server = await serve();
    server.health.dependency("qbittorrent", () => new Promise(() => {}));
    const [status, body] = await askJson(server.listener, "/livez");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      dependencies: { qbittorrent: { ok: false, detail: "no answer within 2 s" } },
    });
  });
});

describe("/readyz", () => {
  test("is ready when every check is, and says why not otherwise", async () => {
    await using server = await serve();
    let converged = false;
    server.health.ready("sync", () => ({ ok: converged, detail: converged ? "converged" : "no port yet" }));
    expect(await askJson(server.listener, "/readyz")).toEqual([
      503,
      { status: "not ready", checks: { sync: { ok: false, detail: "no port yet" } } },
    ]);
    converged = true;
    expect((await askJson(server.listener, "/readyz"))[0]).toBe(200);
  });

  test("is not ready any more once the service stops", async () => {
    await using server = await serve();
    server.stop.abort();
    expect(await askJson(server.listener, "/readyz")).toMatchObject([
      503,
      { checks: { service: { ok: false, detail: "stopping" } } },
    ]);
    expect((await askJson(server.listener, "/livez"))[0]).toBe(200);
  });
});

describe("/metrics", () => {
  test("gives the registry in Prometheus' format, with the latency of earlier answers", async () => {
    await using server = await serve();
    server.metrics.counter({ name: "syncs_total", help: "x" }).inc();
    await ask(server.listener, "/healthz");
    await ask(server.listener, "/wp-login.php");
    const { headers, body } = await ask(server.listener, "/metrics");
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(body).toContain("syncs_total 1");
    expect(body).toContain(
      'http_request_duration_seconds_count{method="GET",route="/healthz",status="200"} 1',
    );
    expect(body).toContain(
      'http_request_duration_seconds_count{method="GET",route="unknown",status="404"} 1',
    );
    expect(body).not.toContain("wp-login");
  });
});

describe("requests", () => {
  test("an unknown path is a 404 that lists the paths there are", async () => {
    await using server = await serve();
    const [status, body] = await askJson(server.listener, "/nope?x=1");
    expect(status).toBe(404);
    expect(body).toEqual({ error: "nothing at /nope", paths: ["/healthz", "/livez", "/metrics", "/readyz"] });
  });

  test("a wrong method is a 405 that says which ones work", async () => {
    await using server = await serve();
    const { status, headers } = await ask(server.listener, "/healthz", { method: "POST" });
    expect([status, headers.allow]).toEqual([405, "GET, HEAD"]);
  });

  test("HEAD answers like GET without the body", async () => {
    await using server = await serve();
    const { status, headers, body } = await ask(server.listener, "/healthz", { method: "HEAD" });
    expect([status, body]).toEqual([200, ""]);
    expect(Number(headers["content-length"])).toBeGreaterThan(20);
  });

  test("an app's route is given query, headers and body, and chooses status and headers", async () => {
    await using server = await serve();
    server.health.route("POST", "/echo", ({ query, headers, body }) => ({
      status: 202,
      headers: { "x-echo": "yes" },
      body: { name: query.get("name"), token: headers["x-token"], body },
    }));
    const options = { method: "POST", headers: { "x-token": "t" }, body: "hällo" };
    const { status, headers, body } = await ask(server.listener, "/echo?name=a%20b", options);
    expect([status, headers["x-echo"]]).toEqual([202, "yes"]);
    expect(JSON.parse(body)).toEqual({ name: "a b", token: "t", body: "hällo" });
  });

  test("a route that fails is a 500 that gives nothing away, and a log line that does", async () => {
    await using server = await serve();
    server.health.route("GET", "/status", () => Promise.reject(new Error("the cause")));
    const { status, body } = await ask(server.listener, "/status");
    expect([status, body]).toEqual([500, '{"error":"internal error, see the log"}\n']);
    expect(server.lines.at(-1)).toMatchObject({
      level: "error",
      msg: "answering GET /status",
      err: { message: "the cause" },
    });
  });

  test("an answer that cannot be written as JSON is a 500 and not the end of the process", async () => {
    await using server = await serve();
    server.health.route("GET", "/status", () => ({ body: { big: 7n } }));
    expect((await ask(server.listener, "/status")).status).toBe(500);
  });

  test("a body above the limit is refused, whether or not it was announced", async () => {
    await using server = await serve();
    server.health.route("POST", "/rebind", () => ({ body: "ok" }));
    const body = "x".repeat(70_000);
    const announced = await ask(server.listener, "/rebind", { method: "POST", body });
    expect([announced.status, announced.headers.connection]).toEqual([413, "close"]);
    const headers = { "transfer-encoding": "chunked" };
    expect((await ask(server.listener, "/rebind", { method: "POST", headers, body })).status).toBe(413);
  });

  test("a client that hangs up in the middle of its body is no error of the service", async () => {
    await using server = await serve();
    server.health.route("POST", "/rebind", () => ({ body: "ok" }));
    const socket = connect(server.listener.port, "127.0.0.1");
    socket.write("POST /rebind HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf");
    await once(socket, "connect");
    await ask(server.listener, "/healthz");
    socket.destroy();
    await ask(server.listener, "/healthz");
    await server[Symbol.asyncDispose]();
    expect(server.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  test("a client that would send without end is told to stop", async () => {
    await using server = await serve();
    server.health.route("POST", "/rebind", () => ({ body: "ok" }));
    const socket = connect(server.listener.port, "127.0.0.1");
    socket.write("POST /rebind HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    socket.write(`11170\r\n${"x".repeat(70_000)}\r\n`);
    const answer = await text(socket);
    expect(answer.split("\r\n")[0]).toBe("HTTP/1.1 413 Payload Too Large");
  });

  test("headers above the limit are refused", async () => {
    await using server = await serve();
    const headers = { "x-large": "x".repeat(10_000) };
    expect((await ask(server.listener, "/healthz", { headers })).status).toBe(431);
  });

  test("a request line that is no URL is answered", async () => {
    await using server = await serve();
    expect((await ask(server.listener, "//")).status).toBe(404);
  });

  test("declaring a route twice is refused at once", async () => {
    await using server = await serve();
    expect(() => server.health.route("GET", "/metrics", () => ({ body: "" }))).toThrow("GET /metrics");
  });

  test("a handler learns that its client has gone", async () => {
    await using server = await serve();
    const gone = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    server.health.route("GET", "/drain", async ({ signal }) => {
      signal.addEventListener("abort", () => gone.resolve());
      arrived.resolve();
      await gone.promise;
      return { body: "" };
    });
    const socket = connect(server.listener.port, "127.0.0.1");
    socket.write("GET /drain HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await arrived.promise;
    socket.destroy();
    await gone.promise;
    expect(server.lines.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("a route for this machine only", () => {
  async function rebind(headers: Record<string, string>) {
    await using server = await serve();
    let calls = 0;
    server.health.route("POST", "/rebind", {
      loopbackOnly: true,
      handler: () => {
        calls += 1;
        return { body: "done" };
      },
    });
    const { status } = await ask(server.listener, "/rebind", { method: "POST", headers });
    return { status, calls };
  }

  test.each([
    ["curl on localhost", { host: "localhost:9101" }],
    ["curl on 127.0.0.1", { host: "127.0.0.1:9101" }],
    ["curl on [::1]", { host: "[::1]:9101" }],
    ["a person typing the address into a browser", { host: "localhost:9101", "sec-fetch-site": "none" }],
  ])("answers %s", async (_, headers) => {
    expect(await rebind(headers)).toEqual({ status: 200, calls: 1 });
  });

  test.each([
    ["a proxy's client", { host: "localhost:9101", "x-forwarded-for": "203.0.113.7" }],
    ["a web page of another site", { host: "localhost:9101", origin: "https://evil.example" }],
    ["a sandboxed web page", { host: "localhost:9101", origin: "null" }],
    ["a form of another site", { host: "localhost:9101", "sec-fetch-site": "cross-site" }],
    ["a DNS name pointed at 127.0.0.1", { host: "evil.example:9101" }],
    ["a name that looks like loopback", { host: "127.0.0.1.evil.example" }],
    ["a name that begins with localhost", { host: "localhost.evil.example" }],
  ])("refuses %s", async (_, headers) => {
    expect(await rebind(headers)).toEqual({ status: 403, calls: 0 });
  });
});

describe("the listener", () => {
  test("a port in use is an error that names the setting", async () => {
    await using server = await serve();
    const { port } = server.listener;
    await expect(server.health.listen({ host: "127.0.0.1", port })).rejects.toThrow(
      `listening on 127.0.0.1:${port} (set by --health-addr or HEALTH_ADDR): another program uses this port`,
    );
    await expect(
      server.health.listen({ host: "127.0.0.1", port }, { setting: "PORT" }),
    ).rejects.toMatchObject({ name: "ListenError", cause: { code: "EADDRINUSE" } });
  });

  test("an address that is not this machine's is an error that says so", async () => {
    await using server = await serve();
    await expect(server.health.listen({ host: "192.0.2.1", port: 0 })).rejects.toThrow("no such address");
  });

  test("without a host it is reachable on every address, and tells one that works", async () => {
    await using server = await serve();
    await using everywhere = await server.health.listen({ host: undefined, port: 0 });
    expect(everywhere.url).toBe(`http://127.0.0.1:${everywhere.port}`);
    expect((await ask(everywhere, "/healthz")).status).toBe(200);
  });

  test("closing lets a request under way end and refuses new ones", async () => {
    const server = await serve();
    const arrived = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    server.health.route("GET", "/slow", async () => {
      arrived.resolve();
      await held.promise;
      return { body: "done" };
    });
    const slow = ask(server.listener, "/slow");
    await arrived.promise;
    const closing = server[Symbol.asyncDispose]();
    await expect(ask(server.listener, "/healthz")).rejects.toThrow("ECONNREFUSED");
    held.resolve();
    expect((await slow).body).toBe("done");
    await closing;
  });

  test("closing does not wait for a client that never goes away", async () => {
    const server = await serve();
    const arrived = Promise.withResolvers<void>();
    server.health.route("GET", "/slow", () => {
      arrived.resolve();
      return new Promise(() => {});
    });
    const slow = ask(server.listener, "/slow");
    await arrived.promise;
    await Promise.all([server[Symbol.asyncDispose](), expect(slow).rejects.toThrow("socket hang up")]);
  });
});
