import {
  freePort,
  isMissing,
  runDoctor,
  startFakeQbittorrent,
  startQbittorrent,
  tempDir,
} from "@qbit-sidecars/testing";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { program } from "./program.ts";

const examine = async (env: Record<string, string>) =>
  await runDoctor(program, {
    env: {
      QBSYNC_DESTINATION_LISTEN: `127.0.0.1:${await freePort()}`,
      QBSYNC_DESTINATION_HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      QBSYNC_DESTINATION_KEEP_FREE: "1MB",
      ...env,
    },
  });

test("without a qBittorrent all is well, and nothing was made", async () => {
  await using dir = await tempDir();
  const report = await examine({ QBSYNC_DESTINATION_DATA: dir.path });
  expect(report.checks.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
  expect(report.code).toBe(0);
  expect(await readdir(dir.path)).toEqual([]);
});

test("no data directory, and a full disk", async () => {
  const report = await examine({ QBSYNC_DESTINATION_DATA: "/nowhere/at-all" });
  expect(report.of("data directory")).toMatchObject({ verdict: "problem" });
  expect(report.of("same file system").verdict).toBe("unknown");
  await using dir = await tempDir();
  const full = await examine({ QBSYNC_DESTINATION_DATA: dir.path, QBSYNC_DESTINATION_KEEP_FREE: "9000TB" });
  expect(full.of("disk space")).toMatchObject({
    verdict: "problem",
    todo: expect.stringContaining("QBSYNC_DESTINATION_KEEP_FREE"),
  });
});

test("a certificate that cannot be used is a problem; a token is asked for where there is one, and not shown", async () => {
  await using dir = await tempDir();
  await writeFile(join(dir.path, "cert.pem"), "hello");
  const files = Object.fromEntries(
    ["CERT", "KEY"].map((name) => [`QBSYNC_DESTINATION_TLS_${name}_FILE`, join(dir.path, "cert.pem")]),
  );
  const wrong = await examine({ QBSYNC_DESTINATION_DATA: dir.path, ...files });
  expect(wrong.of("who may send")).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("PEM"),
  });
  const token = "a-t0ken-of-many-letters-0123456789";
  const right = await examine({ QBSYNC_DESTINATION_DATA: dir.path, QBSYNC_DESTINATION_TOKEN: token });
  expect(right.of("who may send")).toMatchObject({ verdict: "ok", seen: expect.stringContaining("a token") });
  expect(right.text).not.toContain(token);
});

test("a folder that another file system is mounted on", async () => {
  // /proc is one on every Linux, whatever / is; /dev and /sys are others.
  const report = await examine({ QBSYNC_DESTINATION_DATA: "/" });
  expect(report.of("same file system")).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("is another file system than /"),
  });
});

test("the state of a newer version is a problem, and a start with it is refused with exit code 2", async () => {
  await using dir = await tempDir();
  await mkdir(join(dir.path, ".qbsync"));
  await writeFile(join(dir.path, ".qbsync/format"), "2\n");
  const report = await examine({ QBSYNC_DESTINATION_DATA: dir.path });
  expect(report.of("state")).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("written by a newer version (its format is 2"),
  });
  let told = "";
  const { promise: exited, resolve: exit } = Promise.withResolvers<number>();
  await program({
    argv: ["node", "main.js"],
    env: { QBSYNC_DESTINATION_DATA: dir.path, QBSYNC_DESTINATION_LISTEN: "127.0.0.1:0" },
    stdout: { write: (text) => (told += text) },
    stderr: { write: (text) => (told += text) },
    on: () => {},
    exit,
  });
  expect(await exited).toBe(2);
  expect(told).toContain("start the newer qbsync-destination again");
});

test("a qBittorrent that cannot be asked what it sees leaves that open", async () => {
  await using dir = await tempDir();
  await using fake = await startFakeQbittorrent({ version: "4.5.2" });
  const report = await examine({ QBSYNC_DESTINATION_DATA: dir.path, QBSYNC_DESTINATION_QB_URL: fake.url });
  expect(report.of("path mapping")).toMatchObject({
    verdict: "unknown",
    todo: expect.stringContaining("ls "),
  });
  expect(report.code).toBe(3);
});

describe.skipIf(await isMissing("qBittorrent 5.3.0"))("on a real qBittorrent", () => {
  test("a save path that is the data directory, one that is not, and one that is not there", async () => {
    await using qbittorrent = await startQbittorrent({ version: "5.3.0" });
    await using dir = await tempDir();
    await writeFile(join(dir.path, "film.bin"), "");
    const at = { QBSYNC_DESTINATION_DATA: dir.path, QBSYNC_DESTINATION_QB_URL: qbittorrent.url };
    const same = await examine(at);
    expect(same.checks.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
    const other = await examine({ ...at, QBSYNC_DESTINATION_SAVE_PATH: qbittorrent.savePath });
    expect(other.of("path mapping")).toMatchObject({
      verdict: "problem",
      seen: expect.stringContaining("film.bin is not in what qBittorrent sees"),
      todo: expect.stringContaining("--save-path"),
    });
    const none = await examine({ ...at, QBSYNC_DESTINATION_SAVE_PATH: "/nowhere/at-all" });
    expect(none.of("path mapping")).toMatchObject({
      verdict: "problem",
      seen: "qBittorrent sees no folder /nowhere/at-all",
    });
  });
});
