import type { Run } from "@qbit-sidecars/jobs";
import {
  type AuditEntry,
  type JobResult,
  nodeOutside,
  type NotReady,
  type Outside,
  type OutsideSettings,
  type RulesQbittorrent,
  runJob,
} from "@qbit-sidecars/rules";
import { fenced, fencedOutside } from "./fence.ts";
import type { Ran } from "./outcomes.ts";
import type { RulesInForce } from "./rules-file.ts";
import type { Told } from "./told.ts";

export type RunRulesOptions = {
  readonly rules: RulesInForce;
  readonly qbittorrent: RulesQbittorrent;
  readonly names: TorrentNames;
  readonly outside?: Outside | undefined;
  readonly outsideSettings?: OutsideSettings | undefined;
  /** How many torrents the last run over all of them saw. */
  readonly lastTotal?: number | undefined;
  readonly told?: Told | undefined;
  /** Told of changes as they are made; `idOf` is that of {@link Ran}. */
  readonly onDone: (entries: readonly AuditEntry[], idOf: Ran["idOf"]) => Promise<void>;
  readonly signal: AbortSignal;
};

/** Finds torrents by any of their infohashes. Asked only for those that qBittorrent does not know as ids. */
export type TorrentNames = {
  /** Ids by infohash; what no torrent has is left out. */
  find(infohashes: ReadonlySet<string>, signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
};

type Asked = Pick<Run, "context" | "dryRun" | "trace" | "hashes" | "jobs" | "assertHeld">;

/** One run of the rules for all of a run's jobs. Rejects when qBittorrent cannot be read or the run is lost. */
export async function runRules(run: Asked, options: RunRulesOptions): Promise<Ran> {
  const {
    rules,
    qbittorrent,
    names,
    outside = nodeOutside,
    outsideSettings,
    lastTotal,
    told,
    onDone,
    signal,
  } = options;
  const go = async (hashes: readonly string[] | undefined, name = idOf): Promise<JobResult> =>
    await runJob(
      { context: run.context ?? undefined, hashes, dryRun: run.dryRun, trace: run.trace },
      {
        ruleset: rules.ruleset,
        qbittorrent: fenced(qbittorrent, run),
        outside: fencedOutside(outside, run),
        ...(outsideSettings !== undefined && { outsideSettings }),
        lastTotal,
        wasTold: told && ((rule, hash) => told.has(rule, hash)),
        onDone: async (entries) => await onDone(entries, name),
        signal,
      },
    );
  const about = { rulesVersion: rules.version, note: noteOn(run, rules) };
  if (run.hashes === null) return { result: await go(undefined), ...about, idOf };
  const result = await go(run.hashes);
  // Hooks hand out the v1 infohash (`%I`) of a hybrid torrent, whose id is made of its v2 infohash.
  const unknown = unknownOf(result.notReady, run.hashes);
  const aliases = unknown.size === 0 ? new Map<string, string>() : await names.find(unknown, signal);
  if (aliases.size === 0) return { result, ...about, idOf };
  const nameOf = (hash: string) => aliases.get(hash) ?? idOf(hash);
  const again = await go([...new Set(aliases.values())], nameOf);
  return {
    result: together(result, again, new Set([...aliases.keys()].map(idOf))),
    ...about,
    idOf: nameOf,
  };
}

/** A misspelt context shows in nothing else. A file that has no contexts at all cannot have misspelt one. */
function noteOn({ context }: Asked, { ruleset: { rules } }: RulesInForce): string | undefined {
  const named = new Set(rules.flatMap(({ contexts }) => contexts));
  if (context === null || named.size === 0 || named.has(context)) return undefined;
  return `no rule names the context ${JSON.stringify(context)}; those there are: ${[...named].join(", ")}`;
}

/** qBittorrent's id of a torrent is its v2 infohash cut to 40 digits if it has one, else its v1 infohash. */
function idOf(hash: string): string {
  return hash.slice(0, 40);
}

function unknownOf(notReady: readonly NotReady[], hashes: readonly string[]): Set<string> {
  const unknown = new Set(notReady.filter(({ name }) => name === undefined).map(({ hash }) => hash));
  return new Set(hashes.filter((hash) => unknown.has(idOf(hash))));
}

/** Counters are left: those of a run with hashes are counted torrent by torrent. */
function together(first: JobResult, second: JobResult, found: ReadonlySet<string>): JobResult {
  return {
    ...first,
    torrents: [...first.torrents, ...second.torrents],
    entries: [...first.entries, ...second.entries],
    held: [...first.held, ...second.held],
    notReady: [...first.notReady.filter(({ hash }) => !found.has(hash)), ...second.notReady],
    failed: [...first.failed, ...second.failed],
    ...(first.trace !== undefined && { trace: [...first.trace, ...(second.trace ?? [])] }),
  };
}
