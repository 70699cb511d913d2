import { PieceAnswer_Outcome as Outcome } from "@qbit-sidecars/qbsync-protocol";
import { makeTorrent, startFakeQbittorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DestinationStandIn } from "./destination-under-test.ts";
import { runSource } from "./source-under-test.ts";

const made = makeTorrent({
  version: "v1",
  name: "season",
  files: ["one.bin", "two.bin"].map((path) => ({ path, size: 100_000 })),
});

test("a torrent whose first file is in the way there is tagged while others of its files are missing, shown with why, and goes on by itself", async () => {
  await using data = await tempDir();
  await using qbittorrent = await startFakeQbittorrent({ preferences: { save_path: data.path } });
  let failure: string | undefined;
  await using destination = await DestinationStandIn.start({
    failure: () => failure,
    onPiece: (_, piece) => {
      // As a real one: the first file is whole, and somebody else's has its name.
      if (destination.arrivals.length === 7) failure = "season/one.bin is there already";
      return failure !== undefined && piece > 6 ? Outcome.FAILED : undefined;
    },
  });
  await made.write(data.path);
  qbittorrent.putFiles(made.files.map(({ path }) => join(data.path, path)));
  qbittorrent.addTorrent({
    torrent: made.torrent,
    savePath: data.path,
    fields: { progress: 1, state: "stalledUP" },
  });
  await using source = await runSource({
    QBSYNC_SOURCE_DATA: data.path,
    QBSYNC_SOURCE_QB_URL: qbittorrent.url,
    QBSYNC_SOURCE_QB_USERNAME: "a",
    QBSYNC_SOURCE_QB_PASSWORD: "b",
    QBSYNC_SOURCE_DESTINATION_ADDR: `127.0.0.1:${destination.port}`,
  });
  const tagged = (tag: string) =>
    waitFor(() => qbittorrent.torrents[0]?.["tags"] === tag, {
      what: `the tag ${tag}; ${source.output()}`,
      timeoutMs: 20_000,
    });
  await tagged("sync-failed");
  const why = "the destination cannot go on with it: season/one.bin is there already";
  const { torrents } = JSON.parse(await source.status());
  expect(torrents).toMatchObject([{ id: made.torrentId, state: why }]);
  const plan = await (await fetch(`${source.healthUrl}/plan`)).json();
  expect(plan).toMatchObject({ torrents: [{ sync: { plan: "leave", why } }] });

  destination.options.onPiece = () => undefined;
  failure = undefined;
  await tagged("synced");
});
