import { type QbitClient, QbitError, QbitUnsupportedError } from "@qbit-sidecars/qbit-client";
import { type Service, SettingFault } from "@qbit-sidecars/service";
import {
  type DoctorCheck,
  type Finding,
  gigabytes,
  keptFile,
  listenAddress,
  loggedIn,
  ok,
  problem,
  qbittorrentDoctor,
  readableFolder,
  unknown,
  writableFolder,
} from "@qbit-sidecars/service/doctor";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Config, settings } from "./config.ts";
import { freeBytes } from "./space.ts";
import { formatFault, formatFile } from "./state-format.ts";
import { whoMaySend } from "./who-may-send.ts";

const dataDirectory = "data directory";

/** What qbsync-destination needs: a disk of its own to write to, and a qBittorrent that sees the same files. */
export async function doctor(config: Config, service: Service): Promise<readonly DoctorCheck[]> {
  const { healthAddr: health, data: path, listen } = config;
  const setting = "--data (QBSYNC_DESTINATION_DATA)";
  const mine = { app: service.name, health };
  return [
    readableFolder({ name: dataDirectory, path, setting }),
    writableFolder({ name: "data is writable", path, setting, otherwise: "nothing can be received" }),
    keptFile({
      name: "state",
      path: join(path, ".qbsync", formatFile),
      fault: formatFault,
      onFault: "does not start with it",
      after: [dataDirectory],
    }),
    { name: "same file system", after: [dataDirectory], look: () => lookAtFileSystems(path) },
    { name: "disk space", after: [dataDirectory], look: () => lookAtSpace(config) },
    ...(await qbittorrentChecks(config, service)),
    { name: "who may send", look: () => lookAtSecurity(config, service) },
    listenAddress({ name: "gRPC address", address: listen, setting: "QBSYNC_DESTINATION_LISTEN", ...mine }),
    listenAddress({
      name: "health address",
      address: health,
      setting: "QBSYNC_DESTINATION_HEALTH_ADDR",
      ...mine,
    }),
  ];
}

async function qbittorrentChecks(config: Config, service: Service): Promise<readonly DoctorCheck[]> {
  const { qbitUrl, healthAddr: health } = config;
  if (qbitUrl === undefined) return [];
  const { checks, client } = await qbittorrentDoctor({
    config: { ...config, qbitUrl },
    service,
    settings,
    health,
    clockMatters: "their logs tell different times",
  });
  const look = (signal: AbortSignal) => lookAtPaths(client, config, signal);
  return [...checks, { name: "path mapping", after: [dataDirectory, loggedIn], look }];
}

/** Its own warnings of what is open are for the log of the service. */
async function lookAtSecurity(config: Config, { log, clock, metrics }: Service): Promise<Finding> {
  try {
    const quiet = log.child({}, { level: "silent" });
    const { isOpen, how } = await whoMaySend(config, { log: quiet, clock, metrics });
    if (!isOpen) return ok(`torrents are taken ${how}`);
    return ok(
      "whoever reaches the gRPC address, which has to be in a network that you trust: no token is set",
    );
  } catch (error) {
    if (!(error instanceof SettingFault)) throw error;
    return problem(error.message, "correct the file, or the setting that names it");
  }
}

/** Files get their names by rename, and data that is here already a second one by a hard link: neither leaves a file system. */
async function lookAtFileSystems(data: string): Promise<Finding> {
  const { dev } = await stat(data);
  const entries = await readdir(data, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  for (const name of folders) {
    const found = await stat(join(data, name)).catch(() => undefined);
    if (found === undefined || found.dev === dev) continue;
    return problem(
      `${join(data, name)} is another file system than ${data}: what is there already cannot be linked, and is sent again`,
      "mount one volume at --data, with its folders in it, rather than one for each folder",
    );
  }
  return ok(`${data} and the ${folders.length} folders in it are one file system`);
}

async function lookAtSpace({ data, keepFree }: Config): Promise<Finding> {
  const free = await freeBytes(data);
  if (free <= keepFree)
    return problem(
      `${gigabytes(free)} are free, and KEEP_FREE leaves ${gigabytes(keepFree)} alone: every torrent waits`,
      "make room, or lower QBSYNC_DESTINATION_KEEP_FREE",
    );
  return ok(`${gigabytes(free)} are free, ${gigabytes(keepFree)} of them left alone`);
}

/** Whether qBittorrent sees in its save path what is in --data. */
async function lookAtPaths(client: QbitClient, config: Config, signal: AbortSignal): Promise<Finding> {
  const { data } = config;
  const savePath = config.savePath ?? data;
  const todo = `mount the same volume in qBittorrent, and say with --save-path what qBittorrent calls ${data}`;
  try {
    const seen = new Set(
      (await client.app.directoryContent(savePath, { signal })).map((path) => basename(path)),
    );
    const here = (await readdir(data)).filter((name) => name !== ".qbsync");
    const missing = here.find((name) => !seen.has(name));
    if (missing === undefined) return ok(`qBittorrent sees in ${savePath} what is in ${data}`);
    return problem(`${join(data, missing)} is not in what qBittorrent sees in ${savePath}`, todo);
  } catch (error) {
    if (error instanceof QbitUnsupportedError)
      return unknown(
        `this qBittorrent (before 5.0) cannot be asked what it sees in ${savePath}`,
        `compare \`ls ${savePath}\` where qBittorrent runs with \`ls ${data}\` here`,
      );
    if (error instanceof QbitError && ["notFound", "badRequest", "conflict"].includes(error.kind))
      return problem(`qBittorrent sees no folder ${savePath}`, todo);
    throw error;
  }
}
