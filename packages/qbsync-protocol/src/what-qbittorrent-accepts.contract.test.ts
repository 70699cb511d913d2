import {
  isMissing,
  makeTorrent,
  qbittorrentVersionsUnderTest,
  type RunningQbittorrent,
  startQbittorrent,
  waitFor,
} from "@qbit-sidecars/testing";
import { mkdir, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readLayout } from "./layout/index.ts";

type Listed = { progress: number; state: string };

/** qBittorrent's `disk_io_type`. */
const diskIo = [
  ["default disk I/O", 0],
  ["memory-mapped files", 1],
  ["POSIX disk I/O", 2],
] as const;
const diskIoUnderTest = process.env.QBIT_SIDECARS_LONG === "1" ? diskIo : diskIo.slice(0, 1);

/** The second file is wanted by nobody; of it there are only the bytes that it shares pieces with its neighbours. */
const made = makeTorrent({
  version: "v1",
  name: "partial",
  pieceLength: 65_536,
  files: [
    { path: "a.bin", size: 300_000 },
    { path: "b.bin", size: 500_000 },
    { path: "c.bin", size: 250_000 },
  ],
});
const unwanted = 1;

for (const version of qbittorrentVersionsUnderTest().filter((one) => one !== "4.2.5")) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(`qBittorrent ${version}`, () => {
    test.each(diskIoUnderTest)(
      "%s: part of a torrent is complete, and stays so, with a sparse file of its borders that was checked before it was deselected",
      async (_, io) => {
        await using server = await start(version, io);
        await writePart(server.savePath);
        await add(server, { stopCondition: "FilesChecked" });
        await listed(server, ({ state }) => isStopped(state), "checked and stopped");
        await post(server, "filePrio", { hash: made.torrentId, id: String(unwanted), priority: "0" });
        await listed(server, ({ progress }) => progress === 1, "complete");
        await post(server, "recheck", { hashes: made.torrentId });
        await listed(server, ({ state }) => state.startsWith("checking"), "being checked").catch(() => {});
        const after = await listed(server, ({ state }) => isStopped(state), "checked again");
        expect(after.progress).toBe(1);
      },
    );

    test("skip_checking believes whatever is there: wrong bytes are complete", async () => {
      await using server = await start(version, 0);
      await made.write(server.savePath);
      await using file = await open(join(server.savePath, made.files[0]!.path), "r+");
      await file.write(Buffer.alloc(1000), 0, 1000, 70_000);
      await add(server, { skip_checking: "true", seedMode: "true", ...stopped });
      const there = await listed(server, ({ state }) => isStopped(state), "stopped");
      expect(there.progress).toBe(1);
    });

    test("skip_checking with a file that is not there ends in missingFiles", async () => {
      await using server = await start(version, 0);
      await made.write(server.savePath);
      await rm(join(server.savePath, made.files[unwanted]!.path));
      await add(server, { skip_checking: "true", seedMode: "true" });
      await expect(
        listed(server, ({ state }) => state === "missingFiles", "missingFiles"),
      ).resolves.toBeDefined();
    });
  });
}

const stopped = { stopped: "true", paused: "true" };

async function start(version: RunningQbittorrent["version"], io: number): Promise<RunningQbittorrent> {
  const server = await startQbittorrent({
    version,
    preferences: { refresh_interval: 100, disk_io_type: io },
  });
  // The kind of disk I/O is chosen once, when qBittorrent starts.
  if (io !== 0) await server.restart();
  return server;
}

async function writePart(dir: string): Promise<void> {
  await made.write(dir);
  const path = join(dir, made.files[unwanted]!.path);
  await rm(path);
  await mkdir(dirname(path), { recursive: true });
  await using file = await open(path, "w");
  await file.truncate(made.files[unwanted]!.size);
  const layout = readLayout(made.torrent);
  for (let piece = 0; piece < layout.pieceCount; piece += 1) {
    const slices = layout.slices(piece);
    const border = slices.find((slice) => slice.file === unwanted);
    if (border === undefined || slices.length === 1) continue;
    await file.write(
      made.files[unwanted]!.content(border.offset, border.length),
      0,
      border.length,
      border.offset,
    );
  }
}

function isStopped(state: string): boolean {
  return state.startsWith("stopped") || state.startsWith("paused");
}

async function add({ url }: RunningQbittorrent, fields: Record<string, string>): Promise<void> {
  const body = new FormData();
  body.append("torrents", new Blob([Uint8Array.from(made.torrent)]), "made.torrent");
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  expect((await fetch(`${url}/api/v2/torrents/add`, { method: "POST", body })).ok).toBe(true);
}

async function post(
  { url }: RunningQbittorrent,
  action: string,
  fields: Record<string, string>,
): Promise<void> {
  const body = new URLSearchParams(fields);
  expect((await fetch(`${url}/api/v2/torrents/${action}`, { method: "POST", body })).ok).toBe(true);
}

async function listed(
  { url }: RunningQbittorrent,
  isIt: (torrent: Listed) => boolean,
  what: string,
): Promise<Listed> {
  return await waitFor(
    async () => {
      const [torrent] = (await (await fetch(`${url}/api/v2/torrents/info`)).json()) as Listed[];
      return torrent !== undefined && isIt(torrent) ? torrent : undefined;
    },
    { what: `the torrent, ${what}`, timeoutMs: what === "being checked" ? 1000 : 20_000 },
  );
}
