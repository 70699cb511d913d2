import { QbitClient } from "@qbit-sidecars/qbit-client";
import {
  freePort,
  isMissing,
  makeTorrent,
  runDoctor,
  startFakeQbittorrent,
  startQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { DestinationStandIn } from "./destination-under-test.ts";
import { program } from "./program.ts";

type Given = { url: string; data: string; destination?: string; env?: Record<string, string> };

const examine = async ({ url, data, destination, env }: Given) =>
  await runDoctor(program, {
    env: {
      QBSYNC_SOURCE_QB_URL: url,
      QBSYNC_SOURCE_DATA: data,
      QBSYNC_SOURCE_DESTINATION_ADDR: destination ?? `127.0.0.1:${await freePort()}`,
      QBSYNC_SOURCE_HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      QBSYNC_SOURCE_MIN_SPACE: "1MB",
      ...env,
    },
  });

test("nothing is there: each of it is told, and what to do", async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const report = await examine({ url, data: "/nowhere/at-all" });
  expect(report.code).toBe(1);
  expect(report.of("data directory")).toMatchObject({
    verdict: "problem",
    todo: expect.stringContaining("mount it into this container"),
  });
  expect(report.of("qbittorrent")).toMatchObject({ todo: expect.stringContaining("QBSYNC_SOURCE_QB_URL") });
  expect(report.of("path mapping").verdict).toBe("unknown");
  // What a start warns of would stand in the middle of the report.
  expect(report.text).not.toContain("nothing is shown to");
  expect(report.of("destination")).toMatchObject({
    verdict: "problem",
    todo: expect.stringContaining("QBSYNC_SOURCE_DESTINATION_ADDR"),
  });
});

test("a disk that is smaller than MIN_SPACE would be emptied all the time", async () => {
  await using dir = await tempDir();
  await using fake = await startFakeQbittorrent();
  const env = { QBSYNC_SOURCE_MIN_SPACE: "9000TB" };
  const report = await examine({ url: fake.url, data: dir.path, env });
  expect(report.of("disk space")).toMatchObject({
    verdict: "problem",
    todo: "lower QBSYNC_SOURCE_MIN_SPACE",
  });
});

describe.skipIf(await isMissing("qBittorrent 5.3.0"))("on a real qBittorrent", () => {
  test("data that is where it should be, and data that is looked for elsewhere", async () => {
    await using qbittorrent = await startQbittorrent({ version: "5.3.0" });
    await using destination = await DestinationStandIn.start();
    await using elsewhere = await tempDir();
    const made = makeTorrent({ version: "v1", name: "film", files: [{ path: "film.bin", size: 100_000 }] });
    await made.write(qbittorrent.savePath);
    using client = new QbitClient({ url: qbittorrent.url });
    await client.torrents.add({ files: [made.torrent] });
    await waitFor(async () => (await client.torrents.info())[0]?.progress === 1, {
      what: "the data to be found",
    });
    const { url, savePath } = qbittorrent;
    const at = { url, destination: `127.0.0.1:${destination.port}` };
    const report = await examine({ ...at, data: savePath });
    expect(report.checks.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
    expect(report.of("path mapping").seen).toContain(
      "1 torrents, one of each save path, are where they should be",
    );
    expect(report.of("destination").seen).toContain("has no qBittorrent to give torrents to");
    const wrong = await examine({ ...at, data: elsewhere.path });
    expect(wrong.of("path mapping")).toMatchObject({
      verdict: "problem",
      seen: expect.stringContaining(`is looked for at ${elsewhere.path}/film`),
      todo: expect.stringContaining("--save-path"),
    });
    expect(destination.torrents.size).toBe(0);
  });
});
