import type { Rule } from "../compile/rule.ts";
import type { Safety } from "../compile/safety.ts";
import { planTorrent, type TorrentPlan } from "../plan/plan-torrent.ts";
import type { Subject } from "../plan/subject.ts";
import type { Fetcher } from "./fetch-wanted.ts";

/** Each round fetches at least one of a dozen sources for each torrent; more rounds than this is a fault of ours. */
const mostRounds = 40;

/**
 * Plans torrents, fetching what their rules need only for those whose cheaper conditions leave it open. Torrents
 * that disappear meanwhile are left out.
 */
export async function planAll(
  subjects: readonly Subject[],
  { rules, safety, fetcher }: { rules: readonly Rule[]; safety: Safety; fetcher: Fetcher },
): Promise<Map<Subject, TorrentPlan>> {
  const plans = new Map<Subject, TorrentPlan>();
  let open = subjects;
  for (let round = 0; open.length > 0; round += 1) {
    if (round === mostRounds)
      throw new Error(`planning the rules: not done after ${mostRounds} rounds of fetching`);
    const pending: Subject[] = [];
    for (const subject of open) {
      if (subject.isGone) continue;
      subject.reset();
      const plan = planTorrent(rules, subject, { safety });
      // Quickly had again, and the most of what would be held of it.
      subject.memo.length = 0;
      if (plan === undefined) pending.push(subject);
      else plans.set(subject, plan);
    }
    if (pending.length > 0) await fetcher.fetch(pending);
    open = pending;
  }
  return plans;
}
