import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { grpcStatus } from "@qbit-sidecars/qbsync-protocol";
import {
  certificateAuthority,
  FakeClock,
  makeTorrent,
  type TempDir,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { describe, expect, test, vi } from "vitest";
import { TellRejections } from "./tell-rejections.ts";
import { TestDestination } from "./test-destination.ts";
import { TestSource } from "./test-source.ts";

vi.setConfig({ testTimeout: 60_000 });

const made = makeTorrent({ version: "v1", name: "film", files: [{ path: "film.mkv", size: 100_000 }] });
const [oldToken, newToken] = ["the-old-token-of-the-nas", "the-new-token-of-the-nas"];
const authority = certificateAuthority("the NAS");
const clients = certificateAuthority("its sources");

async function files(texts: Record<string, string>): Promise<TempDir> {
  const folder = await tempDir();
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder.path, name), text);
  return folder;
}

const readyz = async (
  destination: TestDestination,
): Promise<{ checks: Record<string, { detail: string }> }> =>
  JSON.parse(await (await fetch(`${destination.url}/readyz`)).text());

async function codeOf(promise: Promise<unknown>): Promise<number> {
  try {
    await promise;
    return grpcStatus.OK;
  } catch (error) {
    return error instanceof Error && "code" in error ? Number(error.code) : -1;
  }
}

test("without token and certificates torrents are taken from anybody, and that is said everywhere", async () => {
  await using data = await tempDir();
  await using destination = await TestDestination.start([`--data=${data.path}`]);
  await destination.said(/"level":"warn".*this receiver is open: .*QBSYNC_DESTINATION_TOKEN/);
  expect((await readyz(destination)).checks["security"]?.detail).toMatch(/^open: /);
  expect(await destination.metric("qbsync_receiver_open")).toBe(1);
  using source = new TestSource(destination.port);
  expect((await source.hello()).capabilities).toContain("open");
  await source.deliver(made);
});

test("TLS alone encrypts, and the receiver is still open", async () => {
  await using data = await tempDir();
  await using keys = await files({ ...authority.issue({ names: ["127.0.0.1"] }) });
  await using destination = await TestDestination.start([
    `--data=${data.path}`,
    `--tls-cert-file=${join(keys.path, "cert")}`,
    `--tls-key-file=${join(keys.path, "key")}`,
  ]);
  expect(await destination.metric("qbsync_receiver_open")).toBe(1);
  expect(await destination.metric("qbsync_certificate_expiry_timestamp_seconds")).toBeGreaterThan(
    Date.now() / 1000,
  );
  using source = new TestSource(destination.port, { tls: { ca: authority.cert } });
  await source.deliver(made);
});

describe("with tokens in a file", () => {
  test("who has none of them sends, asks and deletes nothing; a change of the file needs no restart", async () => {
    await using data = await tempDir();
    await using secrets = await files({ token: `${oldToken}\n` });
    await using destination = await TestDestination.start([`--data=${data.path}`], [], {
      QBSYNC_DESTINATION_TOKEN_FILE: join(secrets.path, "token"),
    });
    await destination.said(/cross the network in clear text/);
    expect(await destination.metric("qbsync_receiver_open")).toBe(0);
    using good = new TestSource(destination.port, { token: async () => oldToken });
    await good.deliver(made);
    for (const credentials of [{}, { token: async () => newToken }]) {
      using stranger = new TestSource(destination.port, credentials);
      const codes = await Promise.all(
        [
          stranger.hello(),
          stranger.states(),
          stranger.open(made),
          stranger.finalize(made.torrentId),
          stranger.abort(made.torrentId, true),
        ].map(codeOf),
      );
      expect(new Set(codes)).toEqual(new Set([grpcStatus.UNAUTHENTICATED]));
      await stranger.chunk({ torrentId: made.torrentId, piece: 0, offset: 0, data: new Uint8Array(10) });
      await waitFor(() => stranger.broken, { what: "the stream to be refused" });
    }
    expect((await good.state(made.torrentId)).neededCount).toBe(0);
    const told = destination.output.split("\n").filter((line) => line.includes("refused 127.0.0.1"));
    expect(told).toHaveLength(2);
    expect(await destination.metric("qbsync_rejections_total")).toBeGreaterThanOrEqual(12);
    await writeFile(join(secrets.path, "token"), `${oldToken} ${newToken}\n`);
    using next = new TestSource(destination.port, { token: async () => newToken });
    await next.hello();
    await good.hello();
    await writeFile(join(secrets.path, "token"), newToken);
    expect(await codeOf(good.hello())).toBe(grpcStatus.UNAUTHENTICATED);
    expect(destination.output).not.toMatch(new RegExp(`${oldToken}|${newToken}`));
  });
});

describe("with client certificates", () => {
  test("who has a good one is let in, and nobody with none, an old one, or another authority's", async () => {
    await using data = await tempDir();
    await using keys = await files({
      ...authority.issue({ names: ["127.0.0.1"] }),
      clients: clients.cert,
    });
    await using destination = await TestDestination.start([
      `--data=${data.path}`,
      `--tls-cert-file=${join(keys.path, "cert")}`,
      `--tls-key-file=${join(keys.path, "key")}`,
      `--tls-client-ca-file=${join(keys.path, "clients")}`,
    ]);
    expect(await destination.metric("qbsync_receiver_open")).toBe(0);
    const ca = authority.cert;
    using good = new TestSource(destination.port, { tls: { ca, ...clients.issue({ names: ["seedbox"] }) } });
    await good.deliver(made);
    const past = { validFrom: new Date(Date.now() - 9e6), validUntil: new Date(Date.now() - 4e6) };
    const bad = [
      {},
      { tls: { ca } },
      { tls: { ca, ...clients.issue({ names: ["seedbox"], ...past }) } },
      { tls: { ca, ...authority.issue({ names: ["seedbox"] }) } },
    ];
    for (const credentials of bad) {
      using stranger = new TestSource(destination.port, credentials);
      expect(await codeOf(stranger.abort(made.torrentId, true))).toBe(grpcStatus.UNAUTHENTICATED);
    }
    expect((await good.state(made.torrentId)).neededCount).toBe(0);
    const renewed = certificateAuthority("the NAS, a year later");
    await writeFile(join(keys.path, "cert"), renewed.issue({ names: ["127.0.0.1"] }).cert);
    using before = new TestSource(destination.port, {
      tls: { ca, ...clients.issue({ names: ["seedbox"] }) },
    });
    await before.hello();
  });
});

test.each([
  [["--token=short"], "16 or more characters"],
  [["--tls-cert-file=/x"], "a certificate and its key"],
  [["--tls-client-ca-file=/x"], "--tls-cert-file and --tls-key-file as well"],
  [["--tls-cert-file=/no/cert", "--tls-key-file=/no/key"], "--tls-cert-file (/no/cert) does not exist"],
])("%j is a fault in words", async (flags, words) => {
  await using data = await tempDir();
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const argv = [main, `--data=${data.path}`, "--listen=127.0.0.1:0", "--health-addr=127.0.0.1:0", ...flags];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { env: {}, encoding: "utf8" });
  expect(status).toBe(2);
  expect(stdout + stderr).toContain(words);
  expect(stdout + stderr).not.toContain('"short"');
});

test("who knocks again and again is told of once a minute, and no number of strangers fills the log", async () => {
  const lines: unknown[] = [];
  const clock = new FakeClock();
  const tell = new TellRejections(
    { warn: (...line: unknown[]) => void lines.push(line[1]) },
    clock.monotonic,
  );
  const knock = (address: string) =>
    tell.tell({ reason: "no_token", peer: `${address}:4000`, detail: "why" });
  for (let time = 0; time < 50; time += 1) knock("::ffff:10.0.0.1");
  expect(lines).toEqual(["refused ::ffff:10.0.0.1: why"]);
  await clock.advance(61_000);
  knock("::ffff:10.0.0.1");
  expect(lines.at(-1)).toBe("refused ::ffff:10.0.0.1: why (and 49 times since the last line)");
  for (let stranger = 0; stranger < 500; stranger += 1) knock(`10.0.${stranger % 256}.${stranger}`);
  expect(lines.length).toBeLessThanOrEqual(1 + 20);
});
