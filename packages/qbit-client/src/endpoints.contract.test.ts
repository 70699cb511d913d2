import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  isMissing,
  type QbittorrentVersion,
  qbittorrentVersionsUnderTest,
  startFakeQbittorrent,
  startQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { QbitClient } from "./client.ts";
import { contract, notOnTheFake, uniqueTorrent, type World } from "./endpoint-contract/index.ts";
import { type EndpointName, endpoints } from "./endpoints.ts";

type Server = AsyncDisposable & { url: string };

/** qBittorrent looks at its torrents every 1.5 s unless told otherwise, and most tests wait for it to have looked. */
const quick = { BitTorrent: { "Session\\RefreshInterval": "50" } };

const endpointNames = Object.keys(endpoints).filter((name): name is EndpointName =>
  Object.hasOwn(contract, name),
);

for (const version of qbittorrentVersionsUnderTest()) {
  const skip = await isMissing(`qBittorrent ${version}`);
  describe.skipIf(skip)(`qBittorrent ${version}`, () => {
    // Last, because it ends the server.
    const names = endpointNames.toSorted(
      (a, b) => Number(a === "app/shutdown") - Number(b === "app/shutdown"),
    );
    contractHolds(names, { version, start: async () => await startQbittorrent({ version, conf: quick }) });
  });
  describe(`the fake as ${version}`, () => {
    const names = endpointNames.filter((name) => !notOnTheFake.has(name));
    contractHolds(names, { version, start: async () => await startFakeQbittorrent({ version }) });
  });
}

function contractHolds(
  names: readonly EndpointName[],
  { version, start }: { version: QbittorrentVersion; start: () => Promise<Server> },
): void {
  let world: World;
  const closing = new AsyncDisposableStack();
  beforeAll(async () => {
    const server = closing.use(await start());
    const scratch = closing.use(await tempDir("qbit-client-"));
    world = await makeWorld(
      closing.use(new QbitClient({ url: server.url })),
      join(scratch.path, "downloads"),
    );
  });
  afterAll(async () => await closing.disposeAsync());

  test("the version is the one that was asked for", () => {
    expect(world.capabilities.app.split(".").slice(0, 2)).toEqual(version.split(".").slice(0, 2));
  });

  test.each(names)("%s", async (endpoint) => {
    await expect(contract[endpoint](world)).resolves.toBeUndefined();
  });
}

async function makeWorld(client: QbitClient, savePath: string): Promise<World> {
  await mkdir(savePath, { recursive: true });
  await client.app.setPreferences({
    save_path: savePath,
    temp_path_enabled: false,
    incomplete_files_ext: false,
  });
  const capabilities = await client.capabilities();
  const fresh: World["fresh"] = async (settings = {}) => {
    const torrent = uniqueTorrent();
    await client.torrents.add({ files: [torrent.torrent], stopped: true, ...settings });
    // Until the resume data is checked, the state is not yet the one it stays in.
    const isReady = async () => {
      const [info] = await client.torrents.info({ hashes: [torrent.torrentId] });
      return info !== undefined && info.state !== "checkingResumeData" && info.state !== "checkingDL";
    };
    await waitFor(isReady, { what: "the new torrent to be ready" });
    return torrent;
  };
  return { client, capabilities, fresh, savePath };
}
