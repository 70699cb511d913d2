import { expect, test } from "vitest";
import { isMissing, makeTorrent, startQbittorrent, waitFor } from "@qbit-sidecars/testing";

test.skipIf(await isMissing("qBittorrent 5.3.0"))("a torrent whose files are there is complete", async () => {
  await using qbittorrent = await startQbittorrent({ version: "5.3.0" });
  const made = makeTorrent({ version: "hybrid", files: [{ path: "film.bin", size: 100_000 }] });
  await made.write(qbittorrent.savePath);

  const body = new FormData();
  body.append("torrents", new Blob([Uint8Array.from(made.torrent)]), "film.torrent");
  await fetch(`${qbittorrent.url}/api/v2/torrents/add`, { method: "POST", body });

  const isComplete = async () => {
    const response = await fetch(`${qbittorrent.url}/api/v2/torrents/info?hashes=${made.torrentId}`);
    const [torrent]: { progress: number }[] = JSON.parse(await response.text());
    return torrent?.progress === 1;
  };
  await expect(waitFor(isComplete, { what: "the torrent to be complete" })).resolves.toBe(true);
});
