import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  certificateAuthority,
  selfSignedCertificate,
  startFakeQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { DestinationStandIn, type StandInOptions } from "./destination-under-test.ts";
import { runSource, type RunningSource } from "./source-under-test.ts";

const token = "the-token-of-the-nas";
const authority = certificateAuthority("the NAS");
const past = { validFrom: new Date(Date.now() - 9e6), validUntil: new Date(Date.now() - 4e6) };

/** A source beside a qBittorrent without torrents and a destination; files are put into `folder`. */
async function stage(
  serve: StandInOptions["serve"],
  env: (folder: string) => Record<string, string> = () => ({}),
  hello: StandInOptions["hello"] = {},
) {
  const closers = new AsyncDisposableStack();
  const { path: folder } = closers.use(await tempDir());
  await writeFile(join(folder, "ca"), authority.cert);
  const qbittorrent = closers.use(await startFakeQbittorrent({}));
  const destination = closers.use(
    await DestinationStandIn.start({ hello, ...(serve !== undefined && { serve }) }),
  );
  const source = closers.use(
    await runSource({
      QBSYNC_SOURCE_DATA: folder,
      QBSYNC_SOURCE_QB_URL: qbittorrent.url,
      QBSYNC_SOURCE_DESTINATION_ADDR: `127.0.0.1:${destination.port}`,
      ...env(folder),
    }),
  );
  return { folder, source, destination, [Symbol.asyncDispose]: () => closers.disposeAsync() };
}

/** What `/livez` says of the destination, once it was dialled. */
async function destinationCheck({ healthUrl }: RunningSource): Promise<{ ok: boolean; detail: string }> {
  return await waitFor(
    async () => {
      const { dependencies } = JSON.parse(await (await fetch(`${healthUrl}/livez`)).text());
      const check: { ok: boolean; detail: string } | undefined = dependencies.destination;
      return check?.ok === false || (await isConnected(healthUrl)) ? check : undefined;
    },
    { what: "the destination to be dialled" },
  );
}

async function isConnected(healthUrl: string): Promise<boolean> {
  const status: { destination?: object } = JSON.parse(await (await fetch(`${healthUrl}/status`)).text());
  return status.destination !== undefined;
}

const tls = (certificate: { cert: string; key: string }, clientCa?: string) => ({
  tls: async () => ({ ...certificate, clientCa }),
});

describe("what a person is told when the destination", () => {
  const caFile = (folder: string) => ({ QBSYNC_SOURCE_TLS_CA_FILE: join(folder, "ca") });
  const good = authority.issue({ names: ["127.0.0.1"] });

  test.each<[string, StandInOptions["serve"], (folder: string) => Record<string, string>, string]>([
    ["asks for a token", { tokens: async () => [token] }, () => ({}), "QBSYNC_SOURCE_TOKEN"],
    [
      "has another token",
      { tokens: async () => [token] },
      () => ({ QBSYNC_SOURCE_TOKEN: "another-token-than-that" }),
      "must be one of those in QBSYNC_DESTINATION_TOKEN",
    ],
    ["speaks TLS", tls(good), () => ({}), "clear text where TLS is spoken"],
    ["speaks no TLS", undefined, caFile, "it speaks no TLS"],
    [
      "has a certificate of its own making",
      tls(selfSignedCertificate({ names: ["127.0.0.1"] })),
      caFile,
      "--tls-ca-file",
    ],
    [
      "has one out of date",
      tls(authority.issue({ names: ["127.0.0.1"], ...past })),
      caFile,
      "renew it there",
    ],
    ["has one for another name", tls(authority.issue({ names: ["nas"] })), caFile, "--tls-server-name"],
    [
      "asks for a client certificate",
      tls(good, authority.cert),
      caFile,
      "a client certificate of the authority",
    ],
  ])("%s", async (...[, serve, env, words]) => {
    await using staged = await stage(serve, env);
    const check = await destinationCheck(staged.source);
    expect(check).toMatchObject({ ok: false, detail: expect.stringContaining(words) });
    expect(staged.source.output()).toContain(words);
    const [livez, readyz] = await Promise.all(
      ["/livez", "/readyz"].map((path) => fetch(`${staged.source.healthUrl}${path}`)),
    );
    expect(livez?.status).toBe(200);
    expect(readyz?.status).toBe(503);
    expect(staged.source.output()).not.toContain(token);
    expect(staged.source.output()).not.toContain("another-token");
  });
});

test("an IP address is dialled over TLS with a token and a certificate; a token that is mended needs no restart", async () => {
  const serve = {
    ...tls(authority.issue({ names: ["127.0.0.1"] }), authority.cert),
    tokens: async () => [token],
  };
  const own = authority.issue({ names: ["seedbox"] });
  await using folder = await tempDir();
  const put = (name: string, text: string) => writeFile(join(folder.path, name), text);
  await Promise.all([put("cert", own.cert), put("key", own.key), put("token", "a-token-with-a-mistake\n")]);
  await using staged = await stage(serve, (path) => ({
    QBSYNC_SOURCE_TLS_CA_FILE: join(path, "ca"),
    QBSYNC_SOURCE_TLS_CERT_FILE: join(folder.path, "cert"),
    QBSYNC_SOURCE_TLS_KEY_FILE: join(folder.path, "key"),
    QBSYNC_SOURCE_TOKEN_FILE: join(folder.path, "token"),
  }));
  expect(await destinationCheck(staged.source)).toMatchObject({ ok: false });
  await put("token", `${token}\n`);
  await waitFor(() => isConnected(staged.source.healthUrl), { what: "the source to be let in" });
  const readyz = JSON.parse(await (await fetch(`${staged.source.healthUrl}/readyz`)).text());
  expect(readyz.checks.security.detail).toBe("the destination takes torrents only from those it knows");
  expect(await staged.source.metric("qbsync_receiver_open")).toBe(0);
  expect(staged.source.output()).not.toMatch(/clear text|nothing is shown/);
});

test("an open destination is told of at the start, in /readyz and as a metric", async () => {
  await using staged = await stage(undefined, () => ({}), { capabilities: ["open"] });
  const { source } = staged;
  await waitFor(() => isConnected(source.healthUrl), { what: "the destination to be reached" });
  const readyz = JSON.parse(await (await fetch(`${source.healthUrl}/readyz`)).text());
  expect(readyz.checks.security.detail).toMatch(/^open: whoever reaches the destination/);
  expect(await source.metric("qbsync_receiver_open")).toBe(1);
  expect(source.output()).toMatch(
    /"level":"warn".*nothing is shown to 127\.0\.0\.1:\d+ that tells this source/,
  );
});

describe("neighbouring versions of the protocol", () => {
  test("a destination of the next one, which still speaks this one and says more, is worked with", async () => {
    await using staged = await stage(undefined, () => ({}), {
      version: 1,
      program: "qbsync-destination 2.0.0",
      capabilities: ["finalize", "something-new"],
    });
    await waitFor(() => isConnected(staged.source.healthUrl), { what: "the destination to be reached" });
  });

  test("one that does not speak this one is told of, with what both speak", async () => {
    await using staged = await stage(undefined, () => ({}), {
      version: 0,
      detail: "version 2 of the protocol is spoken here, and not 1",
    });
    const check = await destinationCheck(staged.source);
    expect(check.ok).toBe(false);
    expect(check.detail).toContain(
      "does not speak version 1: version 2 of the protocol is spoken here, and not 1",
    );
  });
});
