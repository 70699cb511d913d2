import type { Preferences } from "@qbit-sidecars/qbit-client";
import type { Service } from "@qbit-sidecars/service";
import { openQbittorrent } from "@qbit-sidecars/service/qbittorrent";
import type { Config } from "./config.ts";

/** qBittorrent's settings, as far as hooks need them. */
export type HookHost = {
  preferences(options: { signal: AbortSignal }): Promise<Preferences>;
  setPreferences(changes: Partial<Preferences>, options: { signal: AbortSignal }): Promise<void>;
};

/** What became of one hook. `foreign`: another program's command is there, and stays. */
export type HookOutcome = {
  hook: "added" | "finished";
  outcome: "installed" | "there" | "foreign" | "unsupported";
  /** The line for the user to add where the outcome is `foreign`. */
  command: string;
};

type HookKeys = { hook: "added" | "finished"; path: string; enabled: string; program: string };

const hooks: readonly HookKeys[] = [
  {
    hook: "added",
    path: "track",
    enabled: "autorun_on_torrent_added_enabled",
    program: "autorun_on_torrent_added_program",
  },
  { hook: "finished", path: "done", enabled: "autorun_enabled", program: "autorun_program" },
];

/**
 * The command of a hook. All three hashes, because a v2 torrent has no %I, and a hybrid's %I is not its id. Only
 * hashes are put into the URL: qBittorrent does not percent-encode names.
 */
export function hookCommand(
  path: string,
  { url, token }: { url: string; token?: string | undefined },
): string {
  const header = token === undefined ? "" : ` -H "Authorization: Bearer ${token}"`;
  return `curl -fsS -m 10 -X POST${header} "${url}/${path}?hash=%I&v2=%J&id=%K"`;
}

/** Puts the hooks where none is set; another program's command is never touched (there is one slot each). */
export async function installHooks(
  host: HookHost,
  to: { url: string; token?: string | undefined },
  signal: AbortSignal,
): Promise<HookOutcome[]> {
  const plans = planHooks(await host.preferences({ signal }), to);
  const changes: Partial<Preferences> = {};
  for (const { outcome, command, keys } of plans) {
    if (outcome !== "installed") continue;
    changes[keys.enabled] = true;
    changes[keys.program] = command;
  }
  if (Object.keys(changes).length > 0) await host.setPreferences(changes, { signal });
  return plans.map(({ hook, outcome, command }) => ({ hook, outcome, command }));
}

/** What `installHooks` would do, hook by hook. */
export function planHooks(
  present: Preferences,
  to: { url: string; token?: string | undefined },
): PlannedHook[] {
  return hooks.map((keys) => planHook(keys, present, hookCommand(keys.path, to)));
}

type PlannedHook = HookOutcome & { keys: HookKeys };

function planHook(keys: HookKeys, present: Preferences, command: string): PlannedHook {
  const { hook, path } = keys;
  const program = present[keys.program];
  const plan = (outcome: HookOutcome["outcome"]) => ({ hook, outcome, command, keys });
  // 4.4 and older have no hook for added torrents.
  if (typeof program !== "string") return plan("unsupported");
  const there = program.trim();
  // Several programs may share a hook by `sh -c`.
  const isShared = !isOurs(there, path) && there.includes(`/${path}?hash=%I&v2=%J&id=%K`);
  if ((there === command || isShared) && present[keys.enabled] === true) return plan("there");
  // One that is written but switched off is somebody's as well.
  return plan(there === "" || isOurs(there, path) ? "installed" : "foreign");
}

/** Made by an earlier `install-hooks`, with another address or token. Written by hand it is the user's own. */
function isOurs(command: string, path: string): boolean {
  return command.startsWith("curl -fsS -m 10 -X POST ") && command.endsWith(`/${path}?hash=%I&v2=%J&id=%K"`);
}

/** One line for each hook, without the token. */
export function describeHook({ hook, outcome, command }: HookOutcome): string {
  const shown = command.replace(/Bearer [^"]*/, "Bearer ***");
  const texts = {
    installed: `hook for ${hook} torrents installed: ${shown}`,
    there: `hook for ${hook} torrents is there already`,
    unsupported: `this qBittorrent has no hook for ${hook} torrents (4.5 and later have); DISCOVER=true finds them without`,
    foreign: `qBittorrent runs another program for ${hook} torrents, which was left alone; add to it: ${shown}`,
  };
  return texts[outcome];
}

/** `ntfy-sidecar install-hooks`: 0 when both hooks are in place. */
export async function installHooksCommand(config: Config, service: Service): Promise<number> {
  const client = await openQbittorrent(config, service);
  const outcomes = await installHooks(client.app, hookTarget(config), service.signal);
  for (const outcome of outcomes) service.log.info(describeHook(outcome));
  return outcomes.every(({ outcome }) => outcome === "installed" || outcome === "there") ? 0 : 1;
}

export function hookTarget(config: Config): { url: string; token?: string | undefined } {
  return { url: config.hookUrl, token: config.trackToken?.reveal() };
}
