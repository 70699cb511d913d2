import { PieceAnswer_Outcome as Outcome } from "@qbit-sidecars/qbsync-protocol";
import { makeTorrent, waitFor } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { DestinationStandIn } from "./destination-under-test.ts";
import { runSourceWith } from "./source-under-test.ts";

const made = makeTorrent({
  version: "v1",
  name: "season",
  files: ["one.bin", "two.bin"].map((path) => ({ path, size: 100_000 })),
});

test("a torrent whose first file is in the way there is tagged while others of its files are missing, shown with why, and goes on by itself", async () => {
  let failure: string | undefined;
  await using destination = await DestinationStandIn.start({
    failure: () => failure,
    onPiece: (_, piece) => {
      // As a real one: the first file is whole, and somebody else's has its name.
      if (destination.arrivals.length === 7) failure = "season/one.bin is there already";
      return failure !== undefined && piece > 6 ? Outcome.FAILED : undefined;
    },
  });
  await using run = await runSourceWith(made, destination);
  const { source, qbittorrent } = run;
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
