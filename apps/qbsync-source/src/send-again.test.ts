import { makeTorrent, waitFor } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { DestinationStandIn } from "./destination-under-test.ts";
import { runSourceWith } from "./source-under-test.ts";

const made = makeTorrent({ version: "v1", files: [{ path: "film.bin", size: 200_000 }] });

test("a synced torrent whose tag is taken off is tagged again while it is there, and sent again once it was deleted there", async () => {
  await using destination = await DestinationStandIn.start();
  await using run = await runSourceWith(made, destination);
  const { source, qbittorrent } = run;
  const isTagged = () => qbittorrent.torrents[0]?.["tags"] === "synced";
  const untag = async () => {
    const body = new URLSearchParams({ hashes: made.torrentId, tags: "synced" });
    await fetch(`${qbittorrent.url}/api/v2/torrents/removeTags`, { method: "POST", body });
    expect(isTagged()).toBe(false);
  };
  const tagged = (what: string) =>
    waitFor(isTagged, { what: `${what}; ${source.output()}`, timeoutMs: 30_000 });
  await tagged("it to be synced");
  const pieces = destination.arrivals.length;

  await untag();
  await tagged("it to be tagged again");
  expect(destination.arrivals).toHaveLength(pieces);

  destination.deleted.add(made.torrentId);
  await untag();
  await tagged("it to be synced again");
  expect(destination.arrivals).toHaveLength(2 * pieces);
});
