import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server } from "node:net";
import { inspect } from "node:util";
import { freePort, selfSignedCertificate, startFakeQbittorrent } from "@qbit-sidecars/testing";
import { describe, expect, test, vi } from "vitest";
import { QbitClient, type QbitClientOptions } from "./client.ts";
import { QbitError, QbitResponseError } from "./errors.ts";

/** A server that answers as a test says, and a client of it. */
async function serve(answer: RequestListener, options: Partial<QbitClientOptions> = {}) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  const port = await listening(server);
  const client = new QbitClient({ url: `http://127.0.0.1:${port.number}`, timeoutMs: 2000, ...options });
  const close = async (): Promise<void> => {
    client.close();
    server.closeAllConnections();
    await port[Symbol.asyncDispose]();
  };
  return { client, requests, server, [Symbol.asyncDispose]: close };
}

async function listening(server: Server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const number = typeof address === "object" && address !== null ? address.port : 0;
  const close = async (): Promise<void> => {
    await new Promise((resolve) => void server.close(resolve));
  };
  return { number, [Symbol.asyncDispose]: close };
}

const info = {
  connection_status: "connected",
  dl_info_speed: 0,
  up_info_speed: 0,
  dl_info_data: 0,
  up_info_data: 0,
};
const json = (response: ServerResponse, body: unknown): void =>
  void response.setHeader("content-type", "application/json").end(JSON.stringify(body));

test("an empty POST announces that it is empty, and no request says where it comes from", async () => {
  await using world = await serve((_request, response) => void response.end());
  await world.client.raw({ method: "POST", path: "app/shutdown" });
  await world.client.app.shutdown();
  for (const { headers } of world.requests) {
    expect(headers).not.toHaveProperty("origin");
    expect(headers).not.toHaveProperty("referer");
    expect(headers["content-length"]).toBe("0");
  }
});

test("headers for a proxy are sent, and those that trip qBittorrent's CSRF check refused", async () => {
  await using world = await serve((_request, response) => json(response, info), {
    headers: { "X-Token": "t" },
  });
  await world.client.transfer.info();
  expect(world.requests[0]?.headers["x-token"]).toBe("t");
  expect(() => new QbitClient({ url: "http://127.0.0.1", headers: { Referer: "x" } })).toThrow(TypeError);
});

test("connections are kept between calls", async () => {
  await using world = await serve((_request, response) => json(response, info));
  for (let call = 0; call < 3; call += 1) await world.client.transfer.info();
  expect(new Set(world.requests.map(({ socket }) => socket.remotePort)).size).toBe(1);
});

test("a kept connection is closed by the client before qBittorrent does it after 7 s", async () => {
  await using world = await serve((_request, response) => json(response, info));
  world.server.keepAliveTimeout = 60_000;
  await world.client.transfer.info();
  const { socket } = world.requests[0] ?? {};
  await vi.waitFor(() => expect(socket?.destroyed).toBe(true), { timeout: 6500 });
}, 10_000);

describe("a broken connection", () => {
  test("is tried once more for what can be repeated", async () => {
    let calls = 0;
    await using world = await serve((request, response) => {
      calls += 1;
      if (calls === 1) request.socket.destroy();
      else json(response, info);
    });
    await expect(world.client.transfer.info()).resolves.toBeDefined();
    expect(calls).toBe(2);
  });

  test("is an error for what cannot: a torrent is never added twice", async () => {
    await using world = await serve((request) => request.socket.destroy());
    await expect(world.client.torrents.add({ urls: ["http://example.org/a.torrent"] })).rejects.toMatchObject(
      {
        kind: "unreachable",
        reason: "reset",
      },
    );
    expect(world.requests).toHaveLength(1);
  });

  test("in the middle of an answer is told as such", async () => {
    await using world = await serve((_request, response) => {
      response.writeHead(200, { "content-length": 1000 });
      response.write("half", () => response.destroy());
    });
    await expect(world.client.transfer.info()).rejects.toThrow("the answer was cut off");
  });
});

describe("an answer that cannot be used", () => {
  test.each([
    {
      what: "a web page",
      type: "text/html",
      body: "<!doctype html><title>Login</title>",
      message: "a web page instead of an answer of the API: <!doctype html><title>Login</title>",
    },
    { what: "not JSON", type: "text/plain", body: "Service busy", message: "not JSON: Service busy" },
    { what: "empty", type: "application/json", body: "", message: "not JSON" },
  ])("because it is $what says so, with its beginning", async ({ type, body, message }) => {
    await using world = await serve(
      (_request, response) => void response.setHeader("content-type", type).end(body),
    );
    const error = await world.client.transfer.info().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(QbitResponseError);
    expect(error).toMatchObject({ message: `reading the transfer status: ${message}`, excerpt: body });
  });

  const passkey = "https://tracker.example/0123456789abcdef/announce";
  test.each([
    [{ add_trackers: passkey }, 'unexpected JSON at "listen_port": number expected, nothing there'],
    [
      { add_trackers: passkey, listen_port: null },
      'unexpected JSON at "listen_port": number expected, not null',
    ],
    [{ listen_port: 1, upnp: [passkey] }, 'unexpected JSON at "upnp": boolean expected, not array'],
    [[passkey], "unexpected JSON: object expected, not array"],
    [`{"add_trackers":"${passkey}`, "not JSON"],
    [`\n [ "${passkey}"`, "not JSON"],
    [`"${passkey}`, "not JSON"],
  ])("because %j does not fit names the field and quotes nothing", async (body, message) => {
    await using world = await serve(
      (_request, response) => void response.end(typeof body === "string" ? body : JSON.stringify(body)),
    );
    const error = await world.client.app.preferences().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: "response", message: `reading the preferences: ${message}` });
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain("0123456789abcdef");
  });

  test("because it is another list than one of torrents quotes nothing", async () => {
    await using world = await serve((_request, response) => json(response, [{ tracker: passkey }]));
    const error = await world.client.torrents.info().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: "listing torrents: not a list of torrents", excerpt: "" });
  });

  test("because it is too large is not read to its end", async () => {
    let sent = 0;
    await using world = await serve((_request, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536))) sent += 65_536;
      };
      response.on("drain", more);
      more();
    });
    await expect(world.client.transfer.info({ maxBytes: 1_000_000 })).rejects.toThrow(
      "larger than 1000000 bytes",
    );
    expect(sent).toBeLessThan(20_000_000);
  });

  test.each([500, 502, 503])("because its status is %i is a response error", async (status) => {
    await using world = await serve(
      (_request, response) => void response.writeHead(status, { "retry-after": "7" }).end("sorry"),
    );
    await expect(world.client.transfer.info()).rejects.toMatchObject({
      kind: "response",
      status,
      retryAfterMs: 7000,
    });
  });

  test.each([
    ["86400", 300_000],
    ["-5", 0],
    ["Wed, 21 Oct 2099 07:28:00 GMT", undefined],
  ])("with Retry-After: %s asks for a wait of at most 5 min", async (header, retryAfterMs) => {
    await using world = await serve(
      (_request, response) => void response.writeHead(503, { "retry-after": header }).end(),
    );
    await expect(world.client.transfer.info()).rejects.toMatchObject({ kind: "response", retryAfterMs });
  });

  test("because it redirects names the right URL and does not follow", async () => {
    await using world = await serve(
      (_request, response) => void response.writeHead(301, { location: "https://nas.example/qb/?a=b" }).end(),
    );
    await expect(world.client.transfer.info()).rejects.toMatchObject({
      kind: "redirect",
      location: "https://nas.example/qb/",
    });
    expect(world.requests).toHaveLength(1);
    expect((await world.client.probe()).explanation).toContain("redirects to https://nas.example/qb/");
  });
});

test("no answer in time is a timeout, and a signal ends a call with its own reason", async () => {
  await using world = await serve(() => {}, { timeoutMs: 100 });
  await expect(world.client.transfer.info()).rejects.toMatchObject({
    kind: "unreachable",
    reason: "timeout",
  });
  const signal = AbortSignal.timeout(20);
  const error = await world.client.transfer
    .info({ signal, timeoutMs: 5000 })
    .catch((thrown: unknown) => thrown);
  expect(error).toBe(signal.reason);
});

test("a long list of hashes travels in the body", async () => {
  await using world = await serve((_request, response) => json(response, []));
  await world.client.torrents.info({
    hashes: Array.from({ length: 1000 }, (_, n) => n.toString(16).padStart(40, "0")),
  });
  expect(world.requests[0]?.method).toBe("POST");
});

test("what is no infohash is not sent, nor is an empty list", async () => {
  await using world = await serve((_request, response) => void response.end());
  await expect(world.client.torrents.delete(["all"], { deleteFiles: true })).rejects.toThrow(TypeError);
  await expect(world.client.torrents.files("")).rejects.toThrow(TypeError);
  await world.client.torrents.delete([], { deleteFiles: true });
  expect(world.requests).toHaveLength(0);
});

test("a Web UI below a sub-path is found there", async () => {
  await using server = await startFakeQbittorrent({ basePath: "/qbittorrent" });
  using client = new QbitClient({ url: `${server.url}/` });
  await expect(client.transfer.info()).resolves.toBeDefined();
});

test("a URL with a password in it is refused without repeating it", () => {
  const construct = (): QbitClient => new QbitClient({ url: "http://admin:hunter2@127.0.0.1:8080" });
  expect(construct).toThrow(expect.not.stringContaining("hunter2"));
  expect(construct).toThrow("must not hold user and password: give them separately");
});

describe("over TLS", () => {
  const certificate = selfSignedCertificate({ names: ["127.0.0.1", "localhost"] });

  test("a self-signed certificate is refused with advice, and trusted when given as the CA or when told so", async () => {
    await using server = await startFakeQbittorrent({ https: certificate });
    using stranger = new QbitClient({ url: server.url });
    await expect(stranger.transfer.info()).rejects.toMatchObject({
      reason: "tls",
      message: expect.stringContaining("give its CA"),
    });
    using trusting = new QbitClient({ url: server.url, ca: certificate.cert });
    await expect(trusting.transfer.info()).resolves.toBeDefined();
    using careless = new QbitClient({ url: server.url, insecureSkipVerify: true });
    await expect(careless.transfer.info()).resolves.toBeDefined();
  });

  test("plain HTTP to a TLS port, and TLS to a plain port, are errors that name the mistake", async () => {
    await using secure = await startFakeQbittorrent({ https: certificate });
    using plain = new QbitClient({ url: secure.url.replace("https:", "http:") });
    expect((await plain.probe()).explanation).toMatch(/broke \(ECONNRESET\); perhaps it speaks HTTPS$/u);
    await using open = await startFakeQbittorrent();
    using tls = new QbitClient({ url: open.url.replace("http:", "https:") });
    expect((await tls.probe()).explanation).toContain("plain HTTP");
  });

  test("a port that hangs up on a TLS greeting is not greeted twice, and perhaps speaks plain HTTP", async () => {
    let connections = 0;
    // So does qBittorrent's plain port, after 8 s.
    const deaf = createTcpServer((socket) => {
      connections += 1;
      socket.once("data", () => socket.end());
    });
    await using port = await listening(deaf);
    using client = new QbitClient({ url: `https://127.0.0.1:${port.number}` });
    await expect(client.transfer.info()).rejects.toMatchObject({
      reason: "tls",
      message: expect.stringMatching(
        /TLS connection to \S+ failed \(ECONNRESET: perhaps it speaks plain HTTP\)$/u,
      ),
    });
    expect(connections).toBe(1);
  });

  test("a server that has answered before is not suspected to speak something else", async () => {
    await using open = await startFakeQbittorrent();
    using client = new QbitClient({ url: open.url });
    await client.transfer.info();
    open.faults.set("*", { kind: "reset" });
    expect((await client.probe()).explanation).toMatch(/broke \(ECONNRESET\)$/u);
  });
});

describe("no secret", () => {
  const secret = "s3cr3t-do-not-tell";
  const auths: QbitClientOptions["auth"][] = [
    { kind: "password", username: "admin", password: secret },
    { kind: "apiKey", apiKey: secret },
  ];
  const answers: Record<string, RequestListener> = {
    reset: (request) => request.socket.destroy(),
    cut: (_request, response) => {
      response.writeHead(200, { "content-length": 1000 });
      response.write("half", () => response.destroy());
    },
    "not HTTP": (request) => request.socket.end("nonsense\r\n\r\n"),
    silence: () => {},
    "500": (_request, response) => void response.writeHead(500).end("broken"),
    "403": (_request, response) => void response.writeHead(403).end("Forbidden"),
    "401": (_request, response) => void response.writeHead(401).end("Unauthorized"),
    "Fails.": (_request, response) => void response.end("Fails."),
    redirect: (_request, response) =>
      void response.writeHead(302, { location: `http://x/?p=${secret}` }).end(),
    page: (_request, response) => void response.setHeader("content-type", "text/html").end("<html>"),
  };

  test.each(Object.keys(answers))("is in the error after %s", async (name) => {
    for (const auth of auths) {
      await using world = await serve(answers[name] ?? (() => {}), {
        auth,
        timeoutMs: 200,
        headers: { "x-token": secret },
      });
      await expectSilent(world.client, secret);
    }
    using nobody = new QbitClient({ url: `http://127.0.0.1:${await freePort()}`, auth: auths[0] });
    await expectSilent(nobody, secret);
  });

  async function expectSilent(client: QbitClient, word: string): Promise<void> {
    const error: unknown = await client.transfer.info().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(QbitError);
    const everything = inspect(error, { depth: 20, showHidden: true, getters: true });
    expect(everything + JSON.stringify(error) + String(error)).not.toContain(word);
    expect(inspect(client, { depth: 20, showHidden: true }) + JSON.stringify(client)).not.toContain(word);
  }
});
