import { certificateAuthority, type FakePia, startFakePia } from "@qbit-sidecars/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { piaOverHttps, tokenTls } from "./ask-pia.ts";
import type { Grant } from "./grant.ts";
import { PiaError } from "./pia-errors.ts";
import { Pia } from "./pia.ts";

const { signal } = new AbortController();
const hostname = "panama408";

describe("a conversation with PIA", () => {
  let fake: FakePia;
  beforeAll(async () => {
    fake = await startFakePia();
  });
  afterAll(() => fake[Symbol.asyncDispose]());
  beforeEach(() => {
    fake.gateway.faults.clear();
    fake.tokens.faults.clear();
    fake.model.style = {};
    fake.gateway.calls.length = 0;
  });

  const piaOf = (options: Partial<Parameters<typeof piaOverHttps>[0]> = {}) =>
    new Pia(
      piaOverHttps({
        tokenUrl: fake.tokens.url,
        gatewayPort: fake.port,
        timeoutMs: 400,
        hostname,
        ca: fake.ca,
        ...options,
      }),
      () => Date.now(),
    );
  const credentials = () => ({ username: fake.username, password: fake.password });
  const token = () => piaOf().token(credentials(), signal);
  const grant = async () => piaOf().getSignature("127.0.0.1", await token(), signal);

  test("a token, a signed port, and the port is bound", async () => {
    const granted = await grant();
    await piaOf().bindPort("127.0.0.1", granted, signal);
    expect(fake.gateway.bindings.ports).toContain(granted.port);
    expect(granted.expiresAtMs - Date.now()).toBeGreaterThan(61 * 86_400_000);
  });

  test("goes to the gateway's address under the server's name, and asks no DNS for it", async () => {
    await grant();
    expect(fake.gateway.calls[0]).toMatchObject({
      address: "127.0.0.1",
      servername: hostname,
      host: `${hostname}:${fake.port}`,
    });
  });

  test.each([
    ["with fields nobody knows", { extra: { region: "panama", nested: { a: [1] } } }],
    ["in base64 without padding", { unpadded: true }],
    ["with `created_at` only", { createdAt: true }],
    ["with signs that a URL has a meaning for", { extra: { x: ">>>???~~~þÿ" } }],
  ])("a payload %s is handed back byte for byte", async (_what, style) => {
    fake.model.style = style;
    const granted = await grant();
    await expect(piaOf().bindPort("127.0.0.1", granted, signal)).resolves.toBeUndefined();
    expect(granted.expiresAtMs).toBeGreaterThan(Date.now() + 50 * 86_400_000);
  });

  test("a payload written anew is refused by PIA, which is why it is kept as it was", async () => {
    const granted = await grant();
    const {
      port,
      token: inside,
      expires_at,
    } = JSON.parse(Buffer.from(granted.payload, "base64").toString()) as Record<string, unknown>;
    const payload = Buffer.from(JSON.stringify({ port, token: inside, expires_at })).toString("base64");
    await expect(piaOf().bindPort("127.0.0.1", { ...granted, payload }, signal)).rejects.toMatchObject({
      name: "PiaSignatureError",
    });
  });

  type Said = { status: number; body: string; headers?: Record<string, string> };
  const json = (status: number, body: unknown): Said => ({ status, body: JSON.stringify(body) });
  const html: Said = { status: 200, body: "<html>nginx</html>" };
  const transport: [string, Said, string][] = [
    ["HTML", html, "PiaResponseError"],
    ["nothing", { status: 200, body: "" }, "PiaResponseError"],
    ["502", { status: 502, body: "<html>Bad Gateway</html>" }, "PiaResponseError"],
    ["500 in JSON", json(500, { status: "ERROR", message: "internal" }), "PiaResponseError"],
    [
      "a redirect",
      { status: 301, body: "", headers: { location: "https://elsewhere.example/" } },
      "PiaResponseError",
    ],
    ["a JSON list", json(200, [1, 2]), "PiaRefusedError"],
  ];

  test.each<[string, Said, string]>([
    ...transport,
    ["unauthorized", json(401, { status: "ERROR", message: "Unauthorized client" }), "PiaUnauthorizedError"],
    [
      "unauthorized with 200",
      json(200, { status: "ERROR", message: "Unauthorized client" }),
      "PiaUnauthorizedError",
    ],
    ["no in other words", json(200, { status: "ERROR", message: "no ports left" }), "PiaRefusedError"],
    ["OK without a payload", json(200, { status: "OK" }), "PiaRefusedError"],
    [
      "OK with a payload that is none",
      json(200, { status: "OK", payload: "e30=", signature: "x" }),
      "PiaRefusedError",
    ],
    [
      "port 0",
      json(200, { status: "OK", payload: Buffer.from('{"port":0}').toString("base64"), signature: "x" }),
      "PiaRefusedError",
    ],
    ["too many attempts", json(429, { status: "error", message: "Try again later." }), "PiaRateLimitError"],
  ])("getSignature answers %s", async (_what, said, error) => {
    fake.gateway.faults.next("getSignature", { kind: "answer", ...said });
    await expect(grant()).rejects.toMatchObject({ name: error });
  });

  test.each<[string, Said, string]>([
    ...transport,
    [
      "busy",
      json(409, { status: "", message: "Port 51813 is busy. Please use another server" }),
      "PiaBusyError",
    ],
    ["busy in small letters", json(200, { status: "ERROR", message: "port 1 is busy. " }), "PiaBusyError"],
    ["bad signature", json(401, { status: "", message: "bad signature" }), "PiaSignatureError"],
    ["port expired", json(400, { status: "ERROR", message: "port expired" }), "PiaExpiredError"],
    ["unauthorized", json(401, { status: "ERROR", message: "Unauthorized client" }), "PiaUnauthorizedError"],
    ["no in other words", json(200, { status: "ERROR", message: "quota" }), "PiaRefusedError"],
  ])("bindPort answers %s", async (_what, said, error) => {
    const granted = await grant();
    fake.gateway.faults.next("bindPort", { kind: "answer", ...said });
    await expect(piaOf().bindPort("127.0.0.1", granted, signal)).rejects.toMatchObject({ name: error });
  });

  test.each<[string, Said, string]>([
    ["a wrong password", json(401, { status: "error", message: "Login failed!" }), "PiaLoginError"],
    [
      "too many attempts",
      json(429, { status: "error", code: "too_many_attempts", message: "Try again later." }),
      "PiaRateLimitError",
    ],
    [
      "too many attempts with 200",
      json(200, { status: "error", code: "too_many_attempts" }),
      "PiaRateLimitError",
    ],
    ["HTML", html, "PiaResponseError"],
    ["503", { status: 503, body: "" }, "PiaResponseError"],
    ["not found", { status: 404, body: "" }, "PiaResponseError"],
    ["an empty token", json(200, { token: "" }), "PiaResponseError"],
  ])("the token endpoint answers %s", async (_what, said, error) => {
    fake.tokens.faults.next("token", { kind: "answer", ...said });
    await expect(token()).rejects.toMatchObject({ name: error });
  });

  test.each([
    ["hangs", { kind: "hang" } as const, /in time/],
    ["resets the connection", { kind: "reset" } as const, /reset/],
  ])("a gateway that %s is unreachable", async (_what, fault, words) => {
    fake.gateway.faults.next("getSignature", fault);
    await expect(grant()).rejects.toMatchObject({
      name: "PiaUnreachableError",
      message: expect.stringMatching(words),
    });
  });

  test("no server with port forwarding there: the complaint says so", async () => {
    await expect(piaOf({ gatewayPort: 1 }).ping("127.0.0.1", signal)).rejects.toThrow(/port forwarding/u);
  });

  test("no error tells a token, a password, a payload or a signature", async () => {
    const granted = await grant();
    const told: unknown[] = [];
    const tell = (promise: Promise<unknown>) => promise.catch((error: unknown) => told.push(error));
    const echo = (request: string) => json(400, { status: "ERROR", message: `cannot read ${request}` });
    for (const said of [html, echo(granted.payload), echo(granted.signature)]) {
      fake.gateway.faults.next("bindPort", { kind: "answer", ...said });
      await tell(piaOf().bindPort("127.0.0.1", granted, signal));
    }
    await tell(piaOf({ gatewayPort: 1 }).bindPort("127.0.0.1", granted, signal));
    await tell(piaOf({ gatewayPort: 1 }).getSignature("127.0.0.1", "t0ken-s3cret", signal));
    await tell(piaOf().token({ username: "p1", password: "pass-s3cret" }, signal));
    expect(told).toHaveLength(6);
    expect(told.every((error) => error instanceof PiaError)).toBe(true);
    const all = told
      .map((error) => {
        const { message, stack, cause } = error as Error;
        return [message, stack, String(cause), JSON.stringify(error)].join(" ");
      })
      .join("\n");
    for (const secret of [granted.payload, granted.signature, "t0ken-s3cret", "pass-s3cret"]) {
      expect(all).not.toContain(secret);
    }
  });

  describe("the gateway's certificate", () => {
    const ping = (options: Parameters<typeof piaOf>[0] = {}) => piaOf(options).ping("127.0.0.1", signal);

    test("of another server is refused, and the complaint tells the name it carries", async () => {
      await expect(ping({ hostname: "zurich406" })).rejects.toMatchObject({
        name: "PiaCertificateError",
        names: ["panama408"],
        message: expect.stringContaining("panama408"),
      });
    });

    test("of any of PIA's servers will do where no name was given", async () => {
      await expect(ping({ hostname: undefined })).resolves.toBeUndefined();
    });

    test("of nobody PIA knows is refused, with a name and without", async () => {
      const ca = certificateAuthority("Somebody else").cert;
      for (const named of [hostname, undefined]) {
        await expect(ping({ ca, hostname: named })).rejects.toMatchObject({ name: "PiaCertificateError" });
      }
    });

    test("is not checked without PIA_CA_CERT, which is only done inside a tunnel", async () => {
      await expect(ping({ ca: undefined })).resolves.toBeUndefined();
      await expect(piaOf({ ca: undefined }).ping("192.0.2.1", signal)).rejects.toThrow(/PIA_CA_CERT/u);
    });

    const nameless = { names: [hostname], withAlternativeNames: false };
    const old = { names: [hostname], validUntil: new Date(Date.now() - 1000) };
    const anotherNameless = { names: ["london1"], withAlternativeNames: false };
    test.each([
      ["with the name as its common name only is taken", nameless, "welcome"],
      ["that has expired is refused", old, "certificate has expired"],
      ["with another common name is refused", anotherNameless, "london1"],
    ])("%s", async (_what, options, said) => {
      await using other = await startFakePia();
      other.gateway.present(other.authority.issue(options));
      const pinged = piaOf({ gatewayPort: other.port, ca: other.ca }).ping("127.0.0.1", signal);
      await expect(pinged.then(() => "welcome", String)).resolves.toContain(said);
    });
  });
});

describe("the token endpoint's certificate", () => {
  test("is checked against the system's authorities for PIA's website, whatever PIA_CA_CERT says", () => {
    const url = "https://www.privateinternetaccess.com/api/client/v2/token";
    expect(tokenTls(url, "PIA's CA")).toEqual({});
    expect(tokenTls("https://privateinternetaccess.com.evil.example/", "PIA's CA")).not.toEqual({});
  });

  test("of one of PIA's meta servers is checked against PIA's authority", async () => {
    await using fake = await startFakePia({ metaToken: true });
    const piaOf = (ca: string | undefined) =>
      new Pia(piaOverHttps({ tokenUrl: fake.tokens.url, gatewayPort: 1, timeoutMs: 5000, ca }), () => 0);
    await expect(piaOf(fake.ca).token(fake, signal)).resolves.toMatch(/^[\da-f]{128}$/u);
    await expect(piaOf(undefined).token(fake, signal)).rejects.toMatchObject({ name: "PiaCertificateError" });
  });

  test("what is kept of an answer has an end", async () => {
    await using fake = await startFakePia();
    fake.gateway.faults.next("ping", { kind: "answer", status: 200, body: "x".repeat(1_000_000) });
    const pia = new Pia(
      piaOverHttps({ tokenUrl: fake.tokens.url, gatewayPort: fake.port, timeoutMs: 5000, ca: fake.ca }),
      () => 0,
    );
    await expect(pia.ping("127.0.0.1", signal)).rejects.toThrow(/endless/u);
  });
});

test("a grant is made of what PIA's payload says, nine digits of a second included", async () => {
  const { readGrant } = await import("./grant.ts");
  const payload = Buffer.from(
    JSON.stringify({ token: "t", port: 51_813, expires_at: "2023-11-08T14:20:08.551108225Z" }),
  ).toString("base64");
  expect(readGrant(payload, "s", 0)).toEqual<Grant>({
    payload,
    signature: "s",
    port: 51_813,
    expiresAtMs: Date.parse("2023-11-08T14:20:08.551Z"),
  });
});
