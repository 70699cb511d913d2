import { startFakeQbittorrent } from "@qbit-sidecars/testing";
import fc from "fast-check";
import { type IncomingHttpHeaders, request, validateHeaderName, validateHeaderValue } from "node:http";
import { connect } from "node:net";
import process from "node:process";
import { text } from "node:stream/consumers";
import { expect, test, vi } from "vitest";
import { backendsAtHand } from "./backends-under-test.ts";
import { startServerUnderTest, testKey } from "./server-under-test.ts";

const isLong = process.env.QBIT_SIDECARS_LONG === "1";
const requests = isLong ? 20_000 : 800;

vi.setConfig({ testTimeout: isLong ? 600_000 : 60_000 });

const rules =
  "rules: [{ name: tag, context: fuzz, conditions: [{ field: info.size, operator: '>=', value: 0 }], actions: [{ type: add_tag, params: { tag: x } }] }]";

type Asked = {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
};

const paths = [
  "/",
  "/api/execute",
  "/api/webhooks/cross-seed",
  "/api/jobs",
  "/api/jobs/00000000-0000-7000-8000-000000000000",
  "/api/jobs/status:pending",
  "/api/health",
  "/api/stats",
  "/api/version",
  "/api/rules",
  "/api/rules/reload",
  "/api/rules/text",
  "/api/torrents",
  "/api/openapi.json",
  "/page/main.js",
  "/healthz",
  "/livez",
  "/readyz",
  "/metrics",
];
// oxfmt-ignore
const nasty = [
  "", "-", "0", "-1", "1e9", "true", "null", "NaN", "%", "%00", "%ff", "..", "a".repeat(41), "{}", "__proto__",
  "constructor", "' OR 1=1 --", "\\", "\u{1F600}", "\ud800", "a&b", "a=b", "\t",
];
const word = fc.oneof(fc.constantFrom(...nasty), fc.string({ unit: "binary", maxLength: 30 }));
const name = fc.oneof(
  fc.constantFrom(
    "context",
    "hash",
    "dry_run",
    "trace",
    "delay",
    "status",
    "limit",
    "offset",
    "search",
    "key",
  ),
  word,
);

/** Percent-encoded as a client would, or as it is where that is possible on a line of HTTP. */
function inUrl(value: string): string {
  const [plain] = /^[\x21-\x7e]*$/.exec(value) ?? [];
  return plain ?? encodeURIComponent(value.toWellFormed());
}

const query = fc
  .array(fc.tuple(name, word), { maxLength: 4 })
  .map((pairs) => pairs.map(([key, value]) => `${inUrl(key)}=${inUrl(value)}`).join("&"));
const target = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...paths) },
      fc.tuple(fc.constantFrom(...paths), word).map(([path, more]) => `${path}/${inUrl(more)}`),
      word.map((path) => `/${inUrl(path)}`),
    ),
    query,
  )
  .map(([path, more]) => (more === "" ? path : `${path}?${more}`));
const types = [
  "application/json",
  "application/x-www-form-urlencoded",
  "text/plain",
  "multipart/form-data",
  ";;",
];
const body = fc.oneof(
  fc.constant(undefined),
  word,
  fc.json(),
  query,
  fc.dictionary(name, fc.jsonValue()).map((object) => JSON.stringify(object)),
  fc.record({ extra: fc.jsonValue() }).map((object) => JSON.stringify(object)),
);
const header = fc
  .tuple(
    fc.constantFrom(
      "content-type",
      "accept",
      "x-api-key",
      "range",
      "if-none-match",
      "origin",
      "x-forwarded-for",
    ),
    fc.oneof(fc.constantFrom(...types), word),
  )
  .filter(([key, value]) => isHeader(key, value));
/** What is right is asked for in between. */
const right: Asked = {
  method: "POST",
  path: "/api/execute?context=fuzz&hash=0a",
  headers: { "x-api-key": testKey },
  body: undefined,
};
const wild: fc.Arbitrary<Asked> = fc
  .record({
    method: fc.constantFrom("GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD", "PROPFIND", "QUERY"),
    path: target,
    headers: fc.array(header, { maxLength: 3 }),
    isKnown: fc.boolean(),
    type: fc.constantFrom(...types),
    body,
  })
  .map(({ method, path, headers, isKnown, type, body: sent }) => ({
    method,
    path,
    body: sent?.toWellFormed(),
    headers: {
      // Node's client says the length of no body of a GET.
      ...(sent !== undefined && {
        "content-type": type,
        "content-length": String(Buffer.byteLength(sent.toWellFormed())),
      }),
      ...Object.fromEntries(headers),
      ...(isKnown && { "x-api-key": testKey }),
    },
  }));

const asked = fc.oneof({ weight: 1, arbitrary: fc.constant(right) }, { weight: 20, arbitrary: wild });

function isHeader(key: string, value: string): boolean {
  try {
    validateHeaderName(key);
    validateHeaderValue(key, value);
    return true;
  } catch {
    return false;
  }
}

const refusal = { error: expect.any(String), message: expect.any(String) };

type Answered = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string };

function ask(url: string, { method, path, headers, body: sent }: Asked): Promise<Answered> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asking = request({ hostname, port, method, path, headers }, (response) => {
      const { statusCode = 0, headers: answered } = response;
      text(response).then((told) => resolve({ status: statusCode, headers: answered, text: told }), reject);
    });
    asking.once("error", reject);
    asking.end(sent);
  });
}

test.each(backendsAtHand)(
  `whatever ${requests} requests hold, each is answered, none with a fault of the server, the queue in $name`,
  async ({ start }) => {
    await using store = await start();
    await using fake = await startFakeQbittorrent({ torrents: 3 });
    await using server = await startServerUnderTest({ qbittorrent: fake.url, rules, env: store.env });
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(asked, async (each) => {
        const { status, text: told } = await ask(server.url, each);
        seen.add(status);
        expect(status, told).toBeLessThan(500);
        expect(told).not.toContain(testKey);
        const isRefusal = status >= 400 && each.method !== "HEAD";
        expect(isRefusal ? JSON.parse(told) : refusal).toMatchObject(refusal);
      }),
      { numRuns: requests },
    );
    for (const status of [200, 202, 400, 401, 404, 405]) expect(seen).toContain(status);
    expect(JSON.stringify(server.lines)).not.toContain(testKey);
    expect(server.lines.filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
    expect((await server.done("context=fuzz")).status).toBe("completed");
  },
);

test("what is no HTTP at all is hung up on, and the server goes on", async () => {
  await using fake = await startFakeQbittorrent({ torrents: 3 });
  await using server = await startServerUnderTest({ qbittorrent: fake.url, rules });
  const { port } = new URL(server.url);
  const send = (bytes: Uint8Array) =>
    new Promise<string>((resolve) => {
      const socket = connect(Number(port), "127.0.0.1");
      let told = "";
      socket.on("data", (data) => (told += String(data)));
      socket.on("error", () => {});
      socket.once("close", () => resolve(told));
      socket.end(bytes);
    });
  const noise = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }),
    fc
      .tuple(fc.constantFrom("GET /api/jobs", "POST /api/execute"), fc.uint8Array({ maxLength: 100 }))
      .map(([start, rest]) =>
        Buffer.concat([Buffer.from(`${start} HTTP/1.1\r\n`), rest, Buffer.from("\r\n\r\n")]),
      ),
  );
  await fc.assert(
    fc.asyncProperty(noise, async (bytes) => {
      expect(await send(bytes)).not.toMatch(/^HTTP\/1\.[01] 5/);
    }),
    { numRuns: isLong ? 2000 : 100 },
  );
  expect((await server.done("context=fuzz")).status).toBe("completed");
});
