import { type ShiftableClock, shiftableClock, type TempDir } from "@qbit-sidecars/testing";
import { randomBytes } from "node:crypto";
import { type AppName, appNames, type LinkName, type PodSecrets } from "../pod-parts.ts";
import { WholePod } from "../whole-pod.ts";
import type { Victims } from "./inflict.ts";
import { Link } from "./link.ts";
import { SmallDisk } from "./small-disk.ts";

/** Megabytes: room for some dozens of torrents, and for what apps keep. */
const sizes = { home: 128, state: 16 };

/** A pod in which everything can be broken, and all that is secret is unlike anything else. */
export async function startSoakPod(
  folder: TempDir,
  options: {
    closers: AsyncDisposableStack;
    secrets: PodSecrets;
    onText: (app: AppName, text: string) => void;
  },
): Promise<Victims> {
  const { closers, secrets, onText } = options;
  const links = new Map<LinkName, Link>();
  const disks = new Map<"home" | "state", SmallDisk>();
  const clocks = new Map<AppName, ShiftableClock>();
  for (const name of appNames) clocks.set(name, await shiftableClock(folder.path, name));
  const pod = await WholePod.set({
    secrets,
    onText,
    env: (name) => ({
      ...clocks.get(name)?.env,
      LOG_LEVEL: "debug",
      ...(name === "ntfy-sidecar" && { DISCOVER: "true", INSTALL_HOOKS: "true" }),
      // Never enough space: each torrent is handed over as soon as it has seeded a little.
      ...(name === "qbsync-source" && {
        QBSYNC_SOURCE_MIN_SPACE: "900TB",
        QBSYNC_SOURCE_MIN_SEEDING_TIME: "10s",
      }),
    }),
    async through(name, port) {
      const link = closers.use(await Link.to(port));
      links.set(name, link);
      return link.port;
    },
    async prepareFolder(kind, path) {
      const disk = await SmallDisk.mount(path, sizes[kind]);
      disks.set(kind, disk);
      return disk;
    },
  });
  // Before the links: apps say good-bye through them.
  closers.use(pod);
  return { pod, links, disks, clocks };
}

/** Other ones each time: nobody can have written them into a list of what is hidden. */
export function makeSecrets(): PodSecrets {
  const secret = () => randomBytes(18).toString("base64url");
  return {
    qbittorrentPassword: secret(),
    redisPassword: secret(),
    ntfyPassword: secret(),
    trackToken: secret(),
    rulesKey: secret(),
    qbsyncToken: secret(),
    piaUsername: `p${String(1_000_000 + (randomBytes(4).readUInt32BE() % 9_000_000))}`,
    piaPassword: secret(),
  };
}
