import { QbitClient, type Torrent } from "@qbit-sidecars/qbit-client";
import {
  type MadeTorrent,
  type QbittorrentVersion,
  type RunningQbittorrent,
  startQbittorrent,
  waitFor,
} from "@qbit-sidecars/testing";

/** A qBittorrent that has everything, and one that downloads from it. */
export type Swarm = AsyncDisposable & {
  seeder: RunningQbittorrent;
  source: RunningQbittorrent;
  client: QbitClient;
  /** Lets the seeder have the torrent, at this many bytes per second. */
  seed(made: MadeTorrent, bytesPerSecond?: number): Promise<void>;
  /** Lets the source download it from the seeder. Files are named by their index. */
  download(
    made: MadeTorrent,
    options?: { unselected?: readonly number[]; tags?: readonly string[] },
  ): Promise<void>;
  torrent(made: MadeTorrent): Promise<Torrent | undefined>;
  complete(made: MadeTorrent, timeoutMs?: number): Promise<void>;
};

type SwarmOptions = { version?: QbittorrentVersion; preferences?: Record<string, unknown> };

/**
 * TCP only, because uTP takes its time to find out how fast the loopback device is.
 * Peers on the loopback address are LAN peers, which no limit holds for unless told so.
 */
const quick = {
  bittorrent_protocol: 1,
  queueing_enabled: false,
  limit_lan_peers: true,
  limit_tcp_overhead: false,
  refresh_interval: 200,
};

export async function startSwarm({ version = "5.3.0", preferences = {} }: SwarmOptions = {}): Promise<Swarm> {
  await using closers = new AsyncDisposableStack();
  const [seeder, source] = await Promise.all([
    startQbittorrent({ version: "5.3.0", preferences: quick }),
    startQbittorrent({ version, preferences: { ...quick, ...preferences } }),
  ]);
  closers.use(seeder);
  closers.use(source);
  const seeding = new QbitClient({ url: seeder.url });
  const client = new QbitClient({ url: source.url });
  closers.defer(() => seeding.close());
  closers.defer(() => client.close());
  const resources = closers.move();
  const torrent = async ({ torrentId }: MadeTorrent) =>
    (await client.torrents.info({ hashes: [torrentId] }))[0];
  return {
    seeder,
    source,
    client,
    torrent,
    async seed(made, bytesPerSecond = 0) {
      await made.write(seeder.savePath);
      await seeding.torrents.add({ files: [made.torrent], uploadLimit: bytesPerSecond, skipChecking: true });
    },
    async download(made, { unselected = [], tags = [] } = {}) {
      const hashes = [made.torrentId];
      await client.torrents.add({ files: [made.torrent], stopped: true, ...(tags.length > 0 && { tags }) });
      await waitFor(
        async () => {
          const now = await torrent(made);
          return now !== undefined && !now.state.startsWith("checking");
        },
        { what: "the torrent to be added" },
      );
      await client.torrents.setFilePriority(made.torrentId, { indexes: unselected, priority: 0 });
      await waitFor(
        async () => {
          const files = await client.torrents.files(made.torrentId);
          return unselected.every((index) => files[index]?.priority === 0);
        },
        { what: "the selection to be taken" },
      );
      await client.torrents.start(hashes);
      await waitFor(
        async () => {
          // A peer that is told to a torrent that is still being checked is forgotten.
          await client.torrents.addPeers(hashes, [`127.0.0.1:${seeder.listenPort}`]);
          const now = await torrent(made);
          return (now?.num_seeds ?? 0) > 0 || (now?.progress ?? 0) > 0;
        },
        { what: "the source to find its peer", timeoutMs: 20_000 },
      );
    },
    async complete(made, timeoutMs = 60_000) {
      const isComplete = async () => {
        const now = await torrent(made);
        return now?.progress === 1 && ["uploading", "stalledUP", "stoppedUP"].includes(now.state);
      };
      await waitFor(isComplete, { what: `${made.name} to be complete at the source`, timeoutMs });
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
