import type { Ruleset, Rule } from "../compile/rule.ts";
import { planTorrent, type TorrentPlan } from "./plan-torrent.ts";
import { type Change, type Held } from "./change.ts";
import { guardRun, type RunFacts } from "./safety-guard.ts";
import { settleSharedFiles } from "./shared-data.ts";
import type { Subject } from "./subject.ts";

export type Plan = {
  /** In the order in which they are to be made: by rule, action and torrent. */
  readonly changes: readonly Change[];
  readonly held: readonly Held[];
  readonly torrents: readonly TorrentPlan[];
};

/** The rules a run has to look at. `context` undefined: the rules without one. */
export function rulesFor({ rules }: Ruleset, context: string | undefined): Rule[] {
  return rules.filter(
    ({ enabled, contexts }) =>
      enabled && (contexts.length === 0 || (context !== undefined && contexts.includes(context))),
  );
}

/** Puts the plans of all torrents together, under the guards that look at the whole run. Pure. */
export function assemble(ruleset: Ruleset, torrents: readonly TorrentPlan[], facts: RunFacts): Plan {
  const wanted = torrents
    .flatMap(({ changes }) => changes)
    .toSorted((a, b) => a.ruleIndex - b.ruleIndex || a.actionIndex - b.actionIndex);
  const { changes, held } = guardRun(wanted, ruleset.safety, facts);
  return { changes, held: [...torrents.flatMap((torrent) => torrent.held), ...held], torrents };
}

/**
 * What the rules want, from data that is all there: pure. Torrents whose data is not (`wanted` of each says which)
 * are left out and returned as `pending`.
 */
export function plan(
  ruleset: Ruleset,
  subjects: readonly Subject[],
  options: { context?: string; facts?: RunFacts } = {},
): Plan & { pending: readonly Subject[] } {
  const rules = rulesFor(ruleset, options.context);
  const plans: TorrentPlan[] = [];
  const pending: Subject[] = [];
  for (const subject of subjects) {
    subject.reset();
    const torrent = planTorrent(rules, subject, ruleset);
    if (torrent === undefined) pending.push(subject);
    else plans.push(torrent);
  }
  const facts = options.facts ?? { total: subjects.length, lastTotal: undefined, unsettled: 0 };
  const { changes, ...rest } = assemble(ruleset, plans, facts);
  const library = subjects[0]?.world.library;
  const actual = new Map(subjects.map((subject) => [subject.actual.hash, subject.actual]));
  return { ...rest, changes: settleSharedFiles(changes, library, actual), pending };
}
