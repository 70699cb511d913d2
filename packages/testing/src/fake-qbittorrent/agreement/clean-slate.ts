import { rm } from "node:fs/promises";
import type { Json } from "../answers.ts";
import { waitFor } from "../../wait-for.ts";
import type { Side } from "./side.ts";
import { type Content, writePoolFiles } from "./torrent-pool.ts";

type Settings = Record<string, Json>;

/**
 * Settings every sequence starts from: nobody waits for a slot, since libtorrent looks at its queue only now and then,
 * and news come many times a second.
 */
const wantedSettings: Settings = {
  queueing_enabled: true,
  max_active_downloads: -1,
  max_active_uploads: -1,
  max_active_torrents: -1,
  refresh_interval: 30,
};

/** Those of them that the version has. */
export function startSettings(settings: Settings): Settings {
  return Object.fromEntries(Object.entries(wantedSettings).filter(([name]) => name in settings));
}

export async function readSettings(side: Side): Promise<Settings> {
  return JSON.parse((await side.get("app/preferences")).body) as Settings;
}

/** Takes everything away that a sequence left behind, and puts the files back that it may have taken. */
export async function cleanSlate(side: Side, settings: Settings, content: Content): Promise<void> {
  await side.post("torrents/delete", { hashes: "all", deleteFiles: "false" });
  await side.post("app/setPreferences", { json: JSON.stringify(settable(settings)) });
  await side.post("torrents/removeCategories", {
    categories: await namesOf(side, "torrents/categories", "\n"),
  });
  await side.post("torrents/deleteTags", { tags: await namesOf(side, "torrents/tags", ",") });
  if ((await side.get("transfer/speedLimitsMode")).body === "1")
    await side.post("transfer/toggleSpeedLimitsMode", {});
  await waitFor(async () => (await side.get("torrents/info")).body === "[]", {
    what: `${side.name} to have no torrents`,
  });
  await rm(content.savePath, { recursive: true, force: true });
  await writePoolFiles(content);
}

async function namesOf(side: Side, endpoint: string, separator: string): Promise<string> {
  const answer = JSON.parse((await side.get(endpoint)).body) as string[] | Record<string, unknown>;
  return (Array.isArray(answer) ? answer : Object.keys(answer)).join(separator);
}

/** Those that sequences change. Others stay as they are, so that the server stays quiet. */
function settable(settings: Settings): Settings {
  const names = [
    "listen_port",
    "random_port",
    "dl_limit",
    "up_limit",
    "alt_dl_limit",
    "alt_up_limit",
    "max_ratio_enabled",
    "max_ratio",
    "max_seeding_time_enabled",
    "max_seeding_time",
    "auto_tmm_enabled",
    "start_paused_enabled",
    "add_stopped_enabled",
    "add_trackers",
    "autorun_program",
    "current_network_interface",
    "torrent_changed_tmm_enabled",
  ];
  const known = names.flatMap((name) =>
    settings[name] === undefined ? [] : [[name, settings[name]] as const],
  );
  return { ...Object.fromEntries(known), ...startSettings(settings) };
}
