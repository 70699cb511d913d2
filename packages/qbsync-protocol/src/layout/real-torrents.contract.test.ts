import {
  isMissing,
  type MadeTorrent,
  qbittorrentVersionsUnderTest,
  startQbittorrent,
  waitFor,
} from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { readLayout } from "./read-layout.ts";
import { madeTorrents, payload } from "./torrents-under-test.ts";

type Listed = { progress: number; state: string; infohash_v1: string; infohash_v2: string };

const fast = { queueing_enabled: false, max_active_checking_torrents: 16, refresh_interval: 100 };

/** qBittorrent 4.2 exports nothing. */
const versions = qbittorrentVersionsUnderTest().filter((version) => version !== "4.2.5");

for (const version of versions) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(`qBittorrent ${version}`, () => {
    test("exports torrents whose layout is that of its own files, pieces and hashes", async () => {
      await using server = await startQbittorrent({ version, preferences: fast });
      // A single file needs no padding: with and without it is the same torrent.
      const torrents = new Map(madeTorrents().map(([, made]) => [made.torrentId, made])).values().toArray();
      // Some have the same files: what is written anew while it is checked is found wrong, and is not looked at again.
      for (const made of torrents) await made.write(server.savePath);
      for (const made of torrents) await add(server.url, made.torrent);
      for (const made of torrents) await expectSame(server.url, made);
    });
  });
}

async function expectSame(url: string, made: MadeTorrent): Promise<void> {
  const ask = async (what: string) =>
    await (await fetch(`${url}/api/v2/torrents/${what}=${made.torrentId}`)).json();
  const listed = await waitFor(
    async () => {
      const [torrent] = (await ask("info?hashes")) as Listed[];
      return torrent?.progress === 1 && !torrent.state.startsWith("checking") ? torrent : undefined;
    },
    { what: `${made.name}, complete`, timeoutMs: 30_000 },
  );
  const exported = await fetch(`${url}/api/v2/torrents/export?hash=${made.torrentId}`);
  const layout = readLayout(Buffer.from(await exported.arrayBuffer()));
  expect([layout.infohashV1 ?? "", layout.infohashV2 ?? ""]).toEqual([
    listed.infohash_v1,
    listed.infohash_v2,
  ]);
  expect(layout.torrentId).toBe(made.torrentId);

  const files = (await ask("files?hash")) as { index: number; name: string; size: number }[];
  expect(layout.files.map(({ index, path, size }) => ({ index, name: path, size }))).toEqual(
    files.map(({ index, name, size }) => ({ index, name, size })),
  );
  expect((await ask("pieceStates?hash")) as number[]).toHaveLength(layout.pieceCount);
  const pieces = Array.from({ length: layout.pieceCount }, (_, piece) => piece);
  for (const piece of pieces) {
    const verifier = layout.verifier(piece);
    verifier.update(payload(made, layout, piece));
    expect(verifier.matches()).toBe(true);
  }
}

async function add(url: string, torrent: Buffer): Promise<void> {
  const body = new FormData();
  body.append("torrents", new Blob([Uint8Array.from(torrent)]), "made.torrent");
  expect((await fetch(`${url}/api/v2/torrents/add`, { method: "POST", body })).ok).toBe(true);
}
