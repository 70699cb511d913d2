import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { FakeClock } from "../fake-clock.ts";
import { type FakePia, piaTerms, startFakePia } from "./index.ts";

const minuteMs = 60_000;

type Said = { status: number; body: Record<string, string> };
type Ask = { query?: Record<string, string>; servername?: string; address?: string };

/** As PIA's scripts do: curl --connect-to host::ip: --cacert ca.rsa.4096.crt. */
function ask(pia: FakePia, path: string, options: Ask = {}): Promise<Said> {
  const { query = {}, servername = "panama408", address = "127.0.0.1" } = options;
  return new Promise((resolve, reject) => {
    const search = new URLSearchParams(query).toString();
    httpsRequest(
      {
        host: address,
        port: pia.port,
        path: `${path}?${search}`,
        servername,
        ca: pia.ca,
        agent: false,
        headers: { host: servername },
      },
      (response) => {
        void text(response).then((body) =>
          resolve({
            status: response.statusCode ?? 0,
            body: body.startsWith("{") ? JSON.parse(body) : { body },
          }),
        );
      },
    )
      .on("error", reject)
      .end();
  });
}

async function logIn(pia: FakePia, body: FormData | URLSearchParams): Promise<Said> {
  const response = await fetch(pia.tokens.url, { method: "POST", body });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

function form(pia: FakePia, password = pia.password): URLSearchParams {
  return new URLSearchParams({ username: pia.username, password });
}

/** A port, granted by one server. */
async function granted(pia: FakePia): Promise<{ payload: string; signature: string; port: number }> {
  const { body } = await ask(pia, "/getSignature", { query: { token: pia.model.grantToken() } });
  const { payload = "", signature = "" } = body;
  const { port }: { port: number } = JSON.parse(Buffer.from(payload, "base64").toString());
  return { payload, signature, port };
}

describe("tokens", () => {
  test("are given for a form, multipart or urlencoded, and for nothing else", async () => {
    await using pia = await startFakePia();
    const multipart = new FormData();
    for (const [name, value] of form(pia)) multipart.append(name, value);
    expect((await logIn(pia, multipart)).body).toMatchObject({ status: "OK", token: expect.any(String) });
    expect((await logIn(pia, form(pia))).status).toBe(200);
    expect((await logIn(pia, form(pia, "wrong"))).status).toBe(401);
    expect(pia.tokens.logins()).toBe(3);
  });

  test("are refused for minutes to who has tried too often", async () => {
    const clock = new FakeClock();
    await using pia = await startFakePia({ clock });
    pia.model.lockOut();
    expect((await logIn(pia, form(pia))).body).toMatchObject({ code: "too_many_attempts" });
    await clock.advance(piaTerms.lockOutMs);
    expect((await logIn(pia, form(pia))).status).toBe(200);
  });

  test("are good for a day", async () => {
    const clock = new FakeClock();
    await using pia = await startFakePia({ clock });
    const token = pia.model.grantToken();
    await clock.advance(piaTerms.tokenMs - 1);
    expect((await ask(pia, "/getSignature", { query: { token } })).status).toBe(200);
    await clock.advance(1);
    expect(await ask(pia, "/getSignature", { query: { token } })).toEqual({
      status: 401,
      body: { status: "ERROR", message: "Unauthorized client" },
    });
  });
});

describe("ports", () => {
  test("end at a time with nine digits, and are bound for exactly what was signed", async () => {
    await using pia = await startFakePia();
    const { payload, signature, port } = await granted(pia);
    const inside = Buffer.from(payload, "base64").toString();
    expect(inside).toMatch(/"expires_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"/u);
    expect(Buffer.from(signature, "base64")).toHaveLength(64);
    const rewritten = Buffer.from(inside.replace(",", ", ")).toString("base64");
    for (const query of [
      { payload: rewritten, signature },
      { payload, signature: signature.replace(/^./u, "_") },
    ]) {
      expect(await ask(pia, "/bindPort", { query })).toEqual({
        status: 401,
        body: { status: "", message: "bad signature" },
      });
    }
    expect((await ask(pia, "/bindPort", { query: { payload, signature } })).body).toMatchObject({
      status: "OK",
    });
    expect(pia.gateway.bindings.ports).toEqual([port]);
    expect(pia.otherGateway.bindings.ports).toEqual([]);
  });

  test("are gone after fifteen minutes without being bound again, on each server by itself", async () => {
    const clock = new FakeClock();
    await using pia = await startFakePia({ clock });
    const { port, ...query } = await granted(pia);
    await ask(pia, "/bindPort", { query });
    await ask(pia, "/bindPort", { query, address: "127.0.0.2", servername: "zurich406" });
    await clock.advance(14 * minuteMs);
    await ask(pia, "/bindPort", { query });
    await clock.advance(minuteMs);
    expect([pia.gateway.bindings.isBound(port), pia.otherGateway.bindings.isBound(port)]).toEqual([
      true,
      false,
    ]);
    await clock.advance(14 * minuteMs);
    expect(pia.gateway.bindings.isBound(port)).toBe(false);
  });

  test("expire, and may be somebody else's", async () => {
    const clock = new FakeClock();
    await using pia = await startFakePia({ clock });
    const { port, ...query } = await granted(pia);
    pia.gateway.bindings.occupy([port]);
    expect(await ask(pia, "/bindPort", { query })).toMatchObject({
      status: 409,
      body: { status: "", message: `Port ${port} is busy. Please use another server` },
    });
    clock.jumpWallClock(piaTerms.signatureMs);
    expect((await ask(pia, "/bindPort", { query })).body).toMatchObject({ message: "port expired" });
  });
});

describe("a server", () => {
  test("shows PIA's certificate for its own name, and records how it was reached", async () => {
    await using pia = await startFakePia();
    expect((await ask(pia, "/ping")).status).toBe(200);
    expect(pia.gateway.calls).toEqual([
      { name: "ping", query: {}, servername: "panama408", host: "panama408", address: "127.0.0.1" },
    ]);
    await expect(ask(pia, "/ping", { servername: "zurich406" })).rejects.toMatchObject({
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
    await expect(ask(pia, "/ping", { servername: "zurich406", address: "127.0.0.2" })).resolves.toMatchObject(
      { status: 200 },
    );
  });

  test("goes down and comes up at the same place, and answers badly when told to", async () => {
    await using pia = await startFakePia();
    await pia.gateway.down();
    await expect(ask(pia, "/ping")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await pia.gateway.up();
    pia.gateway.faults.next("ping", { kind: "reset" });
    await expect(ask(pia, "/ping")).rejects.toMatchObject({ code: "ECONNRESET" });
    pia.gateway.faults.next("ping", { kind: "answer", status: 502, body: "<html>" });
    expect((await ask(pia, "/ping")).status).toBe(502);
    expect((await ask(pia, "/ping")).status).toBe(200);
  });
});
