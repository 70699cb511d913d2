import { formatAddress } from "@qbit-sidecars/config";
import type { TorrentState } from "@qbit-sidecars/qbsync-protocol";
import { type Service, startLoop } from "@qbit-sidecars/service";
import type { Config } from "./config.ts";
import type { QbittorrentFollower } from "./follow-qbittorrent.ts";
import type { Link } from "./link.ts";
import { ConnectionPlanner } from "./plan-connections.ts";
import type { PieceSender } from "./send-pieces.ts";
import type { TorrentSync } from "./sync-torrents.ts";

/** How often what waits is looked at; everything else happens when something happens. */
const tickMs = 250;

/** How often the number of connections is decided. */
const resizeMs = 5000;

export type Parts = {
  config: Config;
  service: Service;
  link: Link;
  sender: PieceSender;
  sync: TorrentSync;
  follower: QbittorrentFollower;
  reconnected: () => void;
  /** The destination told what it has. */
  onStates: (states: readonly TorrentState[]) => void;
};

/** Starts what turns by itself: reaching the destination, following qBittorrent, carrying torrents on, sending. */
export function startLoops({ config, service, link, sender, sync, follower, reconnected, onStates }: Parts) {
  const { closers, log } = service;
  const reach = closers.use(
    startLoop({
      ...service,
      name: "reach-destination",
      everyMs: config.sleep,
      backoff: { minMs: Math.min(250, config.reconnectMaxDelay), maxMs: config.reconnectMaxDelay },
      async step() {
        if (link.connection !== undefined) return { converged: true };
        const states = await link.connect();
        reconnected();
        log.info(`connected to ${link.terms?.program} at ${formatAddress(config.destinationAddr)}`);
        sync.connected(states);
        onStates(states);
        link.resize(config.minConnections);
        syncing.wake("the destination was reached");
        return { converged: true };
      },
    }),
  );
  const syncing = closers.use(
    startLoop({
      ...service,
      name: "sync-torrents",
      everyMs: Math.min(config.sleep, tickMs),
      backoff: { minMs: 250, maxMs: 15_000 },
      async step({ signal }) {
        await sync.step(signal);
        sender.pump();
        return { converged: true };
      },
    }),
  );
  const follow = closers.use(
    startLoop({
      ...service,
      name: "follow-qbittorrent",
      everyMs: config.pollInterval,
      backoff: { minMs: 250, maxMs: 15_000 },
      async step({ signal }) {
        await follower.step(signal);
        return { converged: true };
      },
    }),
  );
  const resize = resizer({ config, service, link, sender });
  const sending = closers.use(
    startLoop({
      ...service,
      name: "send-pieces",
      everyMs: tickMs,
      async step() {
        sender.sweep();
        resize();
        return { converged: true };
      },
    }),
  );
  return { reach, sync: syncing, follow, sending };
}

/** Lets the number of connections follow what they carry. */
function resizer({
  config,
  service: { clock },
  link,
  sender,
}: Pick<Parts, "config" | "service" | "link" | "sender">) {
  const planner = new ConnectionPlanner({ min: config.minConnections, max: config.maxConnections });
  let last = { at: clock.monotonic(), bytes: 0 };
  return () => {
    const now = clock.monotonic();
    if (now - last.at < resizeMs) return;
    const bytesPerSecond = ((sender.sentBytes - last.bytes) * 1000) / (now - last.at);
    last = { at: now, bytes: sender.sentBytes };
    link.resize(planner.next({ bytesPerSecond, isSaturated: sender.isSaturated, nowMs: now }));
  };
}
