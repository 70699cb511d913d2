import { formatAddress } from "@qbit-sidecars/config";
import { isComplete, type QbitClient, type Torrent } from "@qbit-sidecars/qbit-client";
import { type Service, SettingFault } from "@qbit-sidecars/service";
import {
  type DoctorCheck,
  type Finding,
  gigabytes,
  listenAddress,
  loggedIn,
  may,
  ok,
  problem,
  qbittorrentDoctor,
  readableFolder,
  whoami,
} from "@qbit-sidecars/service/doctor";
import { constants } from "node:fs";
import { statfs } from "node:fs/promises";
import { posix } from "node:path";
import { type Config, settings } from "./config.ts";
import { openCredentials } from "./credentials.ts";
import { type Mounts, toLocal } from "./data-folders.ts";
import { Connection, DestinationError } from "./destination.ts";
import { mountsOf } from "./qbittorrent.ts";

/** What qbsync-source needs: qBittorrent and its data, as both call it, and the destination. */
export async function doctor(config: Config, service: Service): Promise<readonly DoctorCheck[]> {
  const { healthAddr: health, data } = config;
  const { checks, client } = await qbittorrentDoctor({
    config,
    service,
    settings,
    health,
    clockMatters: "their logs tell different times",
  });
  return [
    readableFolder({ name: "data directory", path: data, setting: "--data (QBSYNC_SOURCE_DATA)" }),
    { name: "disk space", after: ["data directory"], look: () => lookAtSpace(config) },
    ...checks,
    {
      name: "path mapping",
      after: ["data directory", loggedIn],
      look: (signal) => lookForData(client, config, signal),
    },
    { name: "destination", look: () => reach(config, service) },
    listenAddress({
      name: "health address",
      address: health,
      setting: "QBSYNC_SOURCE_HEALTH_ADDR",
      app: service.name,
      health,
    }),
  ];
}

async function lookAtSpace({ data, minSpace }: Config): Promise<Finding> {
  const { blocks, bavail, bsize } = await statfs(data);
  const [all, free] = [blocks * bsize, bavail * bsize];
  if (all <= minSpace)
    return problem(
      `the disk of ${data} has ${gigabytes(all)}, and MIN_SPACE is ${gigabytes(minSpace)}: torrents would be handed over and removed as soon as they are synced`,
      "lower QBSYNC_SOURCE_MIN_SPACE",
    );
  return ok(`${gigabytes(free)} of ${gigabytes(all)} are free`);
}

/** Save paths that are tried; a qBittorrent has a few, whatever its torrents. */
const mostPaths = 50;

/** Whether what qBittorrent says is where this program looks for it, and may be read. */
async function lookForData(client: QbitClient, config: Config, signal: AbortSignal): Promise<Finding> {
  const preferences = await client.app.preferences({ signal });
  const torrents = await client.torrents.info({}, { signal });
  const mounts = mountsOf(preferences, config);
  const tried = [...Map.groupBy(torrents.filter(hasData), ({ save_path }) => save_path)]
    .flatMap(([, [torrent]]) => torrent ?? [])
    .slice(0, mostPaths);
  for (const torrent of tried) {
    const found = await lookFor(torrent, mounts);
    if (found !== undefined) return found;
  }
  const { savePath, data } = mounts;
  if (tried.length > 0)
    return ok(
      `${tried.length} torrents, one of each save path, are where they should be; ${savePath} is ${data}`,
    );
  return ok(`no torrent has data yet to try it with; qBittorrent's ${savePath} is taken for ${data}`);
}

/** One that is complete is where it says it is; others may be on their way from the folder for incomplete ones. */
const hasData = ({ state, size, content_path = "" }: Torrent): boolean =>
  isComplete(state) && size > 0 && content_path !== "";

async function lookFor({ name, content_path = "" }: Torrent, mounts: Mounts): Promise<Finding | undefined> {
  const local = toLocal(content_path, mounts);
  const code = await may(local, constants.R_OK);
  if (code === undefined) return undefined;
  if (code === "EACCES" || code === "EPERM")
    return problem(
      `${local} (${name}) may not be read by user ${whoami()}`,
      "run as qBittorrent's user or in its group (runAsUser, PUID), or let others read its files",
    );
  return problem(
    `qBittorrent has ${name} at ${content_path}, which is looked for at ${local} and is not there`,
    `mount qBittorrent's ${mounts.savePath} here as ${posix.normalize(mounts.data)}, or say with --save-path what qBittorrent calls ${mounts.data}`,
  );
}

async function reach(config: Config, service: Service): Promise<Finding> {
  const address = formatAddress(config.destinationAddr);
  const { name, version } = service;
  try {
    const credentials = await openCredentials(config, service);
    using connection = await Connection.dial({
      ...(await credentials.forDialling()),
      hint: credentials.hint,
      address,
      program: `${name} ${version}`,
      sourceName: config.sourceName,
      timeoutMs: 10_000,
    });
    const { program, capabilities } = connection.terms;
    const notes = [
      capabilities.includes("open") ? ["it is open: whoever reaches it may send it torrents"] : [],
      capabilities.includes("dry-run") ? ["it is in a dry run and takes nothing"] : [],
      capabilities.includes("finalize") ? [] : ["it has no qBittorrent to give torrents to"],
    ].flat();
    return ok([`${program} answers at ${address}`, ...notes].join("; "));
  } catch (error) {
    if (error instanceof SettingFault)
      return problem(error.message, "mend that file, or the setting that names it");
    if (!(error instanceof DestinationError)) throw error;
    if (error.isRefusal) return problem(`${address} does not let this source in`, error.message);
    return problem(
      error.message,
      error.isTransient
        ? "see that qbsync-destination runs, that QBSYNC_SOURCE_DESTINATION_ADDR is its gRPC address (:50051 unless told otherwise), and that no firewall or VPN is in between"
        : "update the older one of the two",
    );
  }
}
