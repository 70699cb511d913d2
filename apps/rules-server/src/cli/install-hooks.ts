import { QbitError } from "@qbit-sidecars/qbit-client";
import { createLog, systemClock } from "@qbit-sidecars/service";
import { openQbittorrent } from "@qbit-sidecars/service/qbittorrent";
import { type CommandContext, type ExitCode, writeJson } from "./command.ts";

type Hook = {
  readonly what: string;
  readonly context: string;
  readonly enabledKey: "autorun_enabled" | "autorun_on_torrent_added_enabled";
  readonly programKey: "autorun_program" | "autorun_on_torrent_added_program";
};

const hooks: readonly Hook[] = [
  {
    what: "on torrent added",
    context: "added",
    enabledKey: "autorun_on_torrent_added_enabled",
    programKey: "autorun_on_torrent_added_program",
  },
  {
    what: "on torrent finished",
    context: "finished",
    enabledKey: "autorun_enabled",
    programKey: "autorun_program",
  },
];

const left = "left: another command stands there";

type Outcome = "installed" | "there already" | typeof left | "not in this qBittorrent";

/**
 * Sets qBittorrent's "run external program" for added and finished torrents to tell this server, by curl, which must
 * be there where qBittorrent runs. A command that is not ours is never replaced.
 */
export async function installHooks(context: CommandContext): Promise<ExitCode> {
  const { config, server, stdout, stderr } = context;
  const key = keyOf(context);
  if (!/^[\w.~+/=-]+$/.test(key)) {
    stderr.write(
      "qbt-rules: there is no key that can stand in a command: letters, digits and .~+/=-_ only (QBT_RULES_CLIENT_API_KEY)\n",
    );
    return 2;
  }
  try {
    await using closers = new AsyncDisposableStack();
    const log = await createLog({ name: "qbt-rules", level: "silent", format: "json", output: stderr });
    const client = await openQbittorrent(config, { clock: systemClock, log, closers });
    const there: Preferences = { ...(await client.app.preferences()) };
    const planned = planHooks(there, { url: server.url, key });
    const wanted = planned.filter(({ outcome }) => outcome === "installed");
    const changes = wanted.flatMap(({ enabledKey, programKey, command }) => [
      [enabledKey, true],
      [programKey, command],
    ]);
    if (changes.length > 0 && !config.dryRun) await client.app.setPreferences(Object.fromEntries(changes));
    const told = planned.map(({ what, context: name, outcome }) => ({ hook: what, context: name, outcome }));
    if (config.json) writeJson(context, { dry_run: config.dryRun, hooks: told });
    else stdout.write(planned.map((each) => `${tell(each, config.dryRun)}\n`).join(""));
    return told.some(({ outcome }) => outcome === left) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof QbitError)) throw error;
    stderr.write(`qbt-rules: ${error.message}\n`);
    return 3;
  }
}

type Preferences = Readonly<Record<string, unknown>>;

type PlannedHook = Hook & {
  readonly command: string;
  readonly outcome: Outcome;
  /** One of ours stands there and is switched on, with whatever address and key. */
  readonly isOurs: boolean;
};

/** What would be done to qBittorrent's hooks. */
export function planHooks(there: Preferences, { url, key }: { url: string; key: string }): PlannedHook[] {
  return hooks.map((hook) => {
    const command = hookCommand(url, key, hook.context);
    const present = there[hook.programKey];
    const isOurCall =
      typeof present === "string" && present.includes(`/api/execute?context=${hook.context}&`);
    return {
      ...hook,
      command,
      outcome: outcomeOf(hook, there, command),
      isOurs: isOurCall && there[hook.enabledKey] === true,
    };
  });
}

/** What to add to the command of somebody else stands there without the key: terminals are scrolled back and shared. */
function tell({ what, context, outcome, command }: PlannedHook, dryRun: boolean): string {
  const told = dryRun && outcome === "installed" ? "would be installed" : outcome;
  const toAdd = outcome === left ? `\n  add to it: ${command.replace(/(X-API-Key: )[^"]*/, "$1KEY")}` : "";
  return `${what} (context ${context}): ${told}${toAdd}`;
}

/** No shell runs it: qBittorrent splits it at blanks outside of double quotes. `%K` is the id of every torrent. */
function hookCommand(url: string, key: string, context: string): string {
  return `curl -sS -m 10 --retry 5 --retry-connrefused -X POST -H "X-API-Key: ${key}" "${url}/api/execute?context=${context}&hash=%K"`;
}

function outcomeOf(hook: Hook, preferences: Preferences, command: string): Outcome {
  const there = preferences[hook.programKey];
  if (there === undefined) return "not in this qBittorrent";
  const present = typeof there === "string" ? there.trim() : "";
  // Several programs may share a hook by `sh -c`.
  const isShared = !isOurs(present) && present.includes(`/api/execute?context=${hook.context}&hash=%`);
  if ((present === command || isShared) && preferences[hook.enabledKey] === true) return "there already";
  return present === "" || isOurs(present) ? "installed" : left;
}

/** One call of this server and of nobody else, perhaps at another address or with another key. */
function isOurs(command: string): boolean {
  return /^\S*curl [^;&|]*\/api\/execute\?context=[^\s;|]*$/.test(command);
}

function keyOf({ config }: CommandContext): string {
  const [key = ""] = (config.clientApiKey ?? config.serverApiKey)?.reveal().split(/[,\r\n]/) ?? [];
  return key.trim();
}
