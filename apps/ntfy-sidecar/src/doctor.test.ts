import {
  type FakeNtfyOptions,
  type FakeQbittorrentOptions,
  freePort,
  runDoctor,
  startFakeNtfy,
  startFakeQbittorrent,
  tempDir,
} from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { program } from "./program.ts";

type World = {
  ntfy?: FakeNtfyOptions;
  fake?: FakeQbittorrentOptions;
  env?: Record<string, string>;
  /** The text of the ledger. */
  ledger?: string;
};

async function examine({ ntfy: ntfyOptions, fake, env, ledger }: World = {}) {
  await using folder = await tempDir();
  await using ntfy = await startFakeNtfy(ntfyOptions);
  await using qbittorrent = await startFakeQbittorrent(fake);
  if (ledger !== undefined) await writeFile(join(folder.path, "ledger.json"), ledger);
  const report = await runDoctor(program, {
    env: {
      QBIT_HOST: qbittorrent.url,
      NTFY_TOPIC: `${ntfy.url}/my-s3cret-topic`,
      LISTEN_ADDR: `127.0.0.1:${await freePort()}`,
      HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      STATE_DIR: folder.path,
      DISCOVER: "true",
      ...env,
    },
  });
  return { report, ntfy, qbittorrent };
}

test("all is well, and nothing was published or changed", async () => {
  const { report, ntfy, qbittorrent } = await examine({
    ntfy: { token: "tk_right" },
    env: { NTFY_TOKEN: "tk_right" },
  });
  expect(report.checks.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
  expect(report.code).toBe(0);
  expect(report.of("ntfy login").seen).toBe("ntfy knows us as admin");
  expect(ntfy.messages()).toEqual([]);
  expect(ntfy.calls.every(({ method }) => method === "GET")).toBe(true);
  expect(qbittorrent.calls.count("app/setPreferences")).toBe(0);
  expect(report.text).not.toMatch(/tk_right|s3cret/);
});

test("ntfy does not know the token", async () => {
  const { report } = await examine({ ntfy: { token: "tk_right" }, env: { NTFY_TOKEN: "tk_wr0ng" } });
  expect(report.of("ntfy login")).toMatchObject({
    verdict: "problem",
    todo: expect.stringContaining("NTFY_TOKEN"),
  });
  expect(report.of("ntfy topic").verdict).toBe("unknown");
  expect(report.code).toBe(1);
  expect(report.text).not.toContain("tk_wr0ng");
});

test("a topic that may not be read leaves open whether it may be written", async () => {
  const { report } = await examine({ ntfy: { token: "tk_right" } });
  expect(report.of("ntfy topic")).toMatchObject({
    verdict: "unknown",
    todo: expect.stringContaining("test-notification"),
  });
  expect(report.code).toBe(3);
});

test("what answers is not ntfy, or nothing does", async () => {
  const { report } = await examine({ env: { NTFY_TOPIC: `http://127.0.0.1:${await freePort()}/t` } });
  expect(report.of("ntfy")).toMatchObject({
    verdict: "problem",
    todo: expect.stringContaining("NTFY_SERVER"),
  });
  await using other = await startFakeQbittorrent();
  const wrong = await examine({ env: { NTFY_TOPIC: `${other.url}/t` } });
  expect(wrong.report.of("ntfy")).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("is not a healthy ntfy"),
  });
});

test("hooks that nobody installed are told, and stay away", async () => {
  const { report, qbittorrent } = await examine({ env: { DISCOVER: "false" } });
  expect(report.of("hooks")).toMatchObject({
    verdict: "problem",
    seen: "qBittorrent does not call us for added and finished torrents",
    todo: expect.stringContaining("install-hooks"),
  });
  expect(qbittorrent.preferences["autorun_enabled"]).toBe(false);
});

test.each([
  {
    what: "a newer version's",
    ledger: '{"version":2,"everything":"else"}',
    seen: "written by a newer version",
  },
  { what: "damaged", ledger: '{"version":1,"cove', seen: "it is damaged" },
])("a ledger that is $what", async ({ ledger, seen }) => {
  const { report } = await examine({ ledger });
  expect(report.of("ledger")).toMatchObject({ verdict: "problem", seen: expect.stringContaining(seen) });
});

test("an address for hooks that this machine does not have", async () => {
  const { report } = await examine({ env: { LISTEN_ADDR: "192.0.2.1:9090" } });
  expect(report.of("hook address")).toMatchObject({
    verdict: "problem",
    seen: "this machine has no address 192.0.2.1:9090",
    todo: "correct LISTEN_ADDR",
  });
});
