import { type Client, Metadata, status } from "@grpc/grpc-js";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import {
  type Certificate,
  certificateAuthority,
  selfSignedCertificate,
  waitFor,
} from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import {
  AbortResponse,
  FinalizeResponse,
  HelloResponse,
  type QbSyncServer,
  QbSyncService,
  SeedingResponse,
} from "../gen/qbit_sidecars/qbsync/v1/qbsync.ts";
import { connectQbSync, type ConnectOptions } from "./connect.ts";
import type { Rejection, ServerTls } from "./gate.ts";
import { type ServeOptions, serveQbSync } from "./serve.ts";

const mebibyte = 1024 * 1024;
const token = "a-token-of-a-good-length";
const authority = certificateAuthority("the house's own");
const hour = 3_600_000;
const past = { validFrom: new Date(Date.now() - 3 * hour), validUntil: new Date(Date.now() - hour) };

/** A server that notes which methods were reached. */
async function serving(options: Partial<ServeOptions> = {}) {
  const reached: string[] = [];
  const rejections: Rejection[] = [];
  const unary =
    <T>(name: string, message: T) =>
    (_call: unknown, answer: (error: null, value: T) => void) => {
      reached.push(name);
      answer(null, message);
    };
  const implementation: QbSyncServer = {
    hello: unary("hello", HelloResponse.fromPartial({ version: 1 })),
    query(call) {
      reached.push("query");
      call.end();
    },
    open: (call, answer) => {
      reached.push("open");
      call.resume();
      call.on("end", () => answer(null, { result: undefined }));
    },
    send(call) {
      reached.push("send");
      call.on("error", () => {});
      call.on("data", () => {});
      call.on("end", () => call.end());
    },
    finalize: unary("finalize", FinalizeResponse.fromPartial({})),
    abort: unary("abort", AbortResponse.fromPartial({})),
    startSeeding: unary("startSeeding", SeedingResponse.fromPartial({})),
    stopSeeding: unary("stopSeeding", SeedingResponse.fromPartial({})),
    beginHandOff: unary("beginHandOff", SeedingResponse.fromPartial({})),
    sourceRemoved: unary("sourceRemoved", SeedingResponse.fromPartial({})),
    lookAtSeeding: unary("lookAtSeeding", SeedingResponse.fromPartial({})),
  };
  const server = await serveQbSync(implementation, {
    address: { host: "127.0.0.1", port: 0 },
    windows: { streamBytes: mebibyte, connectionBytes: mebibyte },
    maxMessageBytes: mebibyte + 1024,
    onRefused: (rejection) => rejections.push(rejection),
    ...options,
  });
  return {
    port: server.port,
    reached,
    rejections,
    reasons: () => [...new Set(rejections.map(({ reason }) => reason))],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Calls any method with one empty message. @returns the status of the answer */
function codeOf(client: Client, path: string): Promise<number> {
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    const call = client.makeBidiStreamRequest(path, same, same, new Metadata());
    call.on("data", () => {});
    call.on("error", () => {});
    call.on("status", ({ code }: { code: number }) => resolve(code));
    call.write(Buffer.alloc(0));
    call.end();
  });
}

/** What became of a Hello: "ok", or status and details. */
async function hello(port: number, options: Partial<ConnectOptions> = {}): Promise<string> {
  const client = connectQbSync({ address: `127.0.0.1:${port}`, reconnectMaxDelayMs: 100, ...options });
  try {
    return await new Promise((resolve) => {
      const request = { versions: [1], program: "", capabilities: [], sourceName: "", instanceId: "" };
      client.hello(request, new Metadata(), { deadline: Date.now() + 10_000 }, (error) =>
        resolve(error === null ? "ok" : `${status[error.code]}: ${error.details}`),
      );
    });
  } finally {
    client.close();
  }
}

const shown = ({ cert, key }: Certificate, clientCa?: string) => {
  const tls: ServerTls = { cert, key, clientCa };
  return async () => tls;
};

describe("with a token", () => {
  test("that cannot be read, on either side, no call is let in, and the next may be", async () => {
    const unreadable = async () => Promise.reject(new Error("EACCES: /run/secrets/token"));
    let accepted: () => Promise<string[]> = unreadable;
    await using server = await serving({ tokens: () => accepted() });
    expect(await hello(server.port, { token: unreadable })).toMatch(
      /^UNAVAILABLE: the token cannot be read: EACCES/,
    );
    expect(await hello(server.port, { token: async () => token })).toBe(
      "UNAVAILABLE: who calls cannot be checked now; try again",
    );
    expect(server.reached).toEqual([]);
    accepted = async () => [token];
    expect(await hello(server.port, { token: async () => token })).toBe("ok");
  });

  test.each([
    ["none", undefined, "no_token", "QBSYNC_SOURCE_TOKEN"],
    ["a wrong one", "b-token-of-a-good-length", "wrong_token", "none of the destination's"],
    ["half of it", token.slice(0, 10), "wrong_token", "none of the destination's"],
    ["an empty one", "", "no_token", "QBSYNC_SOURCE_TOKEN"],
  ])("who brings %s is refused in words", async (...[, given, reason, words]) => {
    await using server = await serving({ tokens: async () => [token] });
    const answer = await hello(server.port, given === undefined ? {} : { token: async () => given });
    expect(answer).toMatch(/^UNAUTHENTICATED/);
    expect(answer).toContain(words);
    expect(server.reached).toEqual([]);
    expect(server.reasons()).toEqual([reason]);
    expect(JSON.stringify(server.rejections)).not.toContain(token);
  });

  test("no method of any kind is reached without it, and each is with it", async () => {
    await using server = await serving({ tokens: async () => [token] });
    for (const given of [undefined, async () => token]) {
      const client = connectQbSync({ address: `127.0.0.1:${server.port}`, token: given });
      const codes = await Promise.all(Object.values(QbSyncService).map(({ path }) => codeOf(client, path)));
      client.close();
      expect(new Set(codes)).toEqual(new Set([given === undefined ? status.UNAUTHENTICATED : status.OK]));
      expect(server.reached).toHaveLength(given === undefined ? 0 : codes.length);
    }
  });

  test("two are accepted while they are changed, and the old one is not after that", async () => {
    let accepted = ["the-old-token-0123", "the-new-token-0123"];
    await using server = await serving({ tokens: async () => accepted });
    const old = { token: async () => "the-old-token-0123" };
    expect(await hello(server.port, old)).toBe("ok");
    expect(await hello(server.port, { token: async () => "the-new-token-0123" })).toBe("ok");
    accepted = ["the-new-token-0123"];
    expect(await hello(server.port, old)).toMatch(/^UNAUTHENTICATED/);
  });

  test("a stream ends when its token is withdrawn, those with another one and those of an unreadable file do not", async () => {
    let accepted = async () => ["the-old-token-0123", "the-new-token-0123"];
    let looks = 0;
    const tokens = async () => {
      looks += 1;
      return await accepted();
    };
    await using server = await serving({ tokens, recheckTokensMs: 20 });
    const open = await Promise.all(
      ["the-old-token-0123", "the-new-token-0123"].map(async (given) => {
        const client = connectQbSync({ address: `127.0.0.1:${server.port}`, token: async () => given });
        const stream = client.send();
        const ended: string[] = [];
        stream.on("data", () => {});
        stream.on("error", (error) => ended.push(error.message));
        stream.write({ torrentId: "", piece: 0, offset: 0, data: new Uint8Array() });
        return { client, ended };
      }),
    );
    await waitFor(() => server.reached.length === 2, { what: "both streams" });
    const [old, kept] = [open[0]!, open[1]!];
    accepted = async () => Promise.reject(new Error("EACCES"));
    const before = looks;
    await waitFor(() => looks > before + 4, { what: "two rounds" });
    expect([old.ended, kept.ended]).toEqual([[], []]);
    accepted = async () => ["the-new-token-0123"];
    await waitFor(() => old.ended.length > 0, { what: "the end of the stream" });
    await waitFor(() => server.reasons().includes("token_withdrawn"), { what: "the server to tell of it" });
    const after = looks;
    await waitFor(() => looks > after + 4, { what: "some more rounds" });
    expect(kept.ended).toEqual([]);
    for (const { client } of open) client.close();
  });
});

describe("over TLS", () => {
  const server = () => authority.issue({ names: ["127.0.0.1", "nas.example"] });
  const ca = authority.cert;

  test("an IP address is dialled and checked, as is a name that stands for it", async () => {
    await using open = await serving({ tls: shown(server()) });
    expect(await hello(open.port, { tls: { ca } })).toBe("ok");
    expect(await hello(open.port, { tls: { ca, serverName: "nas.example" } })).toBe("ok");
    expect(await hello(open.port, { tls: { ca }, address: `localhost:${open.port}` })).toMatch(
      /UNAVAILABLE.*localhost/,
    );
  });

  test("a certificate for another address, from another authority or out of date is not believed", async () => {
    await using other = await serving({ tls: shown(authority.issue({ names: ["127.0.0.2"] })) });
    expect(await hello(other.port, { tls: { ca } })).toMatch(/UNAVAILABLE.*IP: 127\.0\.0\.1 is not in/);
    await using foreign = await serving({ tls: shown(selfSignedCertificate({ names: ["127.0.0.1"] })) });
    expect(await hello(foreign.port, { tls: { ca } })).toMatch(/UNAVAILABLE.*self-signed/);
    await waitFor(() => foreign.rejections.length > 0, { what: "the server to hear of it" });
    expect(foreign.rejections[0]?.detail).toContain("--tls-ca-file");
    await using old = await serving({ tls: shown(authority.issue({ names: ["127.0.0.1"], ...past })) });
    expect(await hello(old.port, { tls: { ca } })).toMatch(/UNAVAILABLE.*expired/);
    expect([...other.reached, ...foreign.reached, ...old.reached]).toEqual([]);
  });

  test("clear text is answered in words, and TLS where there is none ends in an error", async () => {
    await using secured = await serving({ tls: shown(server()) });
    expect(await hello(secured.port)).toMatch(/^UNAUTHENTICATED: clear text where TLS is spoken.*--tls/);
    expect(secured.reasons()).toEqual(["plaintext"]);
    await using clear = await serving();
    expect(await hello(clear.port, { tls: { ca } })).toMatch(/UNAVAILABLE.*wrong version number/i);
    expect(clear.rejections[0]?.detail).toContain("--tls-cert-file");
    expect([...secured.reached, ...clear.reached]).toEqual([]);
  });

  test("a client certificate is asked for once there is an authority for it", async () => {
    const clients = certificateAuthority("for clients");
    await using guarded = await serving({ tls: shown(server(), clients.cert) });
    const good = clients.issue({ names: ["source"] });
    const old = clients.issue({ names: ["source"], ...past });
    const foreign = certificateAuthority("another").issue({ names: ["source"] });
    expect(await hello(guarded.port, { tls: { ca } })).toMatch(
      /^UNAUTHENTICATED: no client certificate came/,
    );
    expect(await hello(guarded.port, { tls: { ca, ...old } })).toMatch(/^UNAUTHENTICATED.*out of date/);
    expect(await hello(guarded.port, { tls: { ca, ...foreign } })).toMatch(/^UNAUTHENTICATED.*not believed/);
    // What this server shows itself is no client certificate of that authority either.
    expect(await hello(guarded.port, { tls: { ca, ...server() } })).toMatch(/^UNAUTHENTICATED/);
    expect(await hello(guarded.port)).toMatch(/^UNAUTHENTICATED: clear text/);
    expect(guarded.reached).toEqual([]);
    expect(await hello(guarded.port, { tls: { ca, ...good } })).toBe("ok");
  });

  test("with a certificate and tokens both are needed", async () => {
    const both = { tls: shown(server(), authority.cert), tokens: async () => [token] };
    await using guarded = await serving(both);
    const tls = { ca, ...authority.issue({ names: ["source"] }) };
    expect(await hello(guarded.port, { tls })).toMatch(/^UNAUTHENTICATED.*token/);
    expect(await hello(guarded.port, { tls: { ca }, token: async () => token })).toMatch(
      /no client certificate/,
    );
    expect(guarded.reached).toEqual([]);
    expect(await hello(guarded.port, { tls, token: async () => token })).toBe("ok");
  });

  test("a renewed certificate is shown to the next connection", async () => {
    let now = server();
    let tls: ServerTls = now;
    await using open = await serving({ tls: async () => tls });
    expect(await hello(open.port, { tls: { ca } })).toBe("ok");
    const renewed = certificateAuthority("the next one");
    now = renewed.issue({ names: ["127.0.0.1"] });
    tls = now;
    expect(await hello(open.port, { tls: { ca } })).toMatch(/UNAVAILABLE/);
    expect(await hello(open.port, { tls: { ca: renewed.cert } })).toBe("ok");
  });

  test("who leaves during the handshake, since it does not believe the certificate, is told of with its address", async () => {
    await using open = await serving({ tls: shown(server()) });
    const stranger = connectQbSync({ address: `127.0.0.1:${open.port}`, tls: {} });
    expect(await codeOf(stranger, "/qbsync.v1.QbSync/Hello")).toBe(status.UNAVAILABLE);
    stranger.close();
    await waitFor(() => open.rejections.length > 0, { what: "the server to hear of it" });
    for (const { reason, peer } of open.rejections)
      expect([reason, peer]).toEqual(["tls_handshake", expect.stringMatching(/^127\.0\.0\.1:\d+$/)]);
  });

  test("less than TLS 1.2 is not spoken", async () => {
    await using open = await serving({ tls: shown(server()) });
    const socket = tlsConnect({
      port: open.port,
      host: "127.0.0.1",
      ca,
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    const [error]: unknown[] = await once(socket, "error");
    expect(String(error)).toMatch(/protocol version/i);
    await waitFor(() => open.rejections.length > 0, { what: "the server to hear of it" });
    expect(open.reasons()).toEqual(["tls_handshake"]);
  });
});

test("a server closes although somebody holds a stream open, and somebody else only a connection", async () => {
  const server = await serving();
  const client = connectQbSync({ address: `127.0.0.1:${server.port}` });
  const stream = client.send();
  stream.on("error", () => {});
  stream.on("data", () => {});
  await waitFor(() => server.reached.includes("send"), { what: "the stream" });
  const socket = connect(server.port, "127.0.0.1");
  await once(socket, "connect");
  await server[Symbol.asyncDispose]();
  await waitFor(() => socket.closed, { what: "the connection to be cut" });
  client.close();
});

describe("strangers", () => {
  const knock = async (port: number): Promise<Socket> => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  };

  test("that hold all connections are put out for one that is let in", async () => {
    await using server = await serving({ tokens: async () => [token], maxConnections: 3 });
    const strangers = await Promise.all([1, 2, 3, 4, 5].map(() => knock(server.port)));
    await waitFor(() => strangers.filter(({ closed }) => closed).length === 2, { what: "two to be put out" });
    expect(await hello(server.port, { token: async () => token })).toBe("ok");
    expect(server.reasons()).toEqual(["too_many_connections"]);
    for (const stranger of strangers) stranger.destroy();
  });

  test("that ask again and again lose their connection", async () => {
    await using server = await serving({ tokens: async () => [token] });
    const client = connectQbSync({ address: `127.0.0.1:${server.port}` });
    const codes: number[] = [];
    for (let call = 1; call <= 60; call += 1) {
      client.finalize({ torrentId: "", waitMs: 0 }, (error) => codes.push(error?.code ?? 0));
      await waitFor(() => codes.length === call, { what: "the call to be answered" });
    }
    client.close();
    // After each connection that was taken from it, the next one is a new one.
    expect(new Set(codes).has(0)).toBe(false);
    expect(codes).toContain(status.UNAVAILABLE);
    expect(server.reached).toEqual([]);
  });

  test("more calls at a time than allowed wait for another time", async () => {
    await using server = await serving({ maxCalls: 3 });
    const client = connectQbSync({ address: `127.0.0.1:${server.port}` });
    const streams = [1, 2, 3].map(() => client.send());
    for (const stream of streams) {
      stream.on("error", () => {});
      stream.on("data", () => {});
    }
    await waitFor(() => server.reached.length === 3, { what: "three streams" });
    expect(await hello(server.port)).toMatch(/^RESOURCE_EXHAUSTED/);
    for (const stream of streams) stream.cancel();
    await waitFor(async () => (await hello(server.port)) === "ok", { what: "room for a call" });
    client.close();
  });

  test("that open calls of no method and reset them at once do not end the server", async () => {
    await using server = await serving({ tokens: async () => [token] });
    for (let round = 0; round < 20; round += 1) {
      const socket = await knock(server.port);
      // One segment: HEADERS of an unknown path and RST_STREAM of the same stream.
      socket.write(Buffer.concat([http2Preface, unknownCall(1), resetOf(1), unknownCall(3), resetOf(3)]));
      await once(socket, "data");
      socket.destroy();
    }
    expect(await hello(server.port, { token: async () => token })).toBe("ok");
  });
});

/** A frame of RFC 9113 §4.1. */
function frame(type: number, { flags = 0, stream = 0, payload = Buffer.alloc(0) }): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const http2Preface = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, {})]);
const resetOf = (stream: number): Buffer => frame(3, { stream, payload: Buffer.from([0, 0, 0, 8]) });

/** HPACK without compression: a literal has a length byte and its text. */
function unknownCall(stream: number): Buffer {
  const literal = (name: string, value: string): Buffer =>
    Buffer.concat([
      Buffer.of(0, name.length),
      Buffer.from(name),
      Buffer.of(value.length),
      Buffer.from(value),
    ]);
  // :method POST and :scheme http are in the static table.
  const payload = Buffer.concat([
    Buffer.of(0x83, 0x86),
    literal(":path", "/no/method"),
    literal(":authority", "x"),
    literal("content-type", "application/grpc"),
  ]);
  return frame(1, { flags: 4, stream, payload });
}
