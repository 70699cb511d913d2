import { startFakeQbittorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { DestinationStandIn } from "./destination-under-test.ts";
import { runSource } from "./source-under-test.ts";

test("all connections of a source say its name and that they are of one process, which no other one says", async () => {
  await using data = await tempDir();
  await using qbittorrent = await startFakeQbittorrent({});
  await using destination = await DestinationStandIn.start();
  const start = () =>
    runSource({
      QBSYNC_SOURCE_DATA: data.path,
      QBSYNC_SOURCE_QB_URL: qbittorrent.url,
      QBSYNC_SOURCE_QB_USERNAME: "a",
      QBSYNC_SOURCE_QB_PASSWORD: "b",
      QBSYNC_SOURCE_SOURCE_NAME: "box",
      QBSYNC_SOURCE_DESTINATION_ADDR: `127.0.0.1:${destination.port}`,
    });
  const identities = () =>
    new Set(destination.hellos.map(({ sourceName, instanceId }) => `${sourceName} ${instanceId}`));
  await using _first = await start();
  await waitFor(() => destination.hellos.length >= 2, { what: "two connections" });
  expect([...identities()]).toEqual([expect.stringMatching(/^box [0-9a-f-]{36}$/)]);
  await using _second = await start();
  await waitFor(() => identities().size === 2, { what: "another one" });
});
