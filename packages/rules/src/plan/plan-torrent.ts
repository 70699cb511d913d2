import type { Rule, RuleAction } from "../compile/rule.ts";
import type { Safety } from "../compile/safety.ts";
import type { Outcome } from "../language/action.ts";
import { no, pending, yes } from "../language/truth.ts";
import type { Change, Held } from "./change.ts";
import { isRemoval } from "./operation.ts";
import { evaluate } from "./evaluate.ts";
import { reasons } from "./reasons.ts";
import { whyProtected } from "./safety-guard.ts";
import type { Subject } from "./subject.ts";

export type TorrentPlan = {
  readonly hash: string;
  readonly name: string;
  readonly changes: readonly Change[];
  readonly held: readonly Held[];
  /** Names of the rules that matched. */
  readonly matched: readonly string[];
  /** Actions whose state the torrent has already. */
  readonly skipped: number;
  readonly isStopped: boolean;
  /** Why some conditions could not be answered yet; they may be later. */
  readonly notReady: readonly string[];
  /** Conditions that could not be answered at all. */
  readonly failed: readonly string[];
};

export type PlanOptions = {
  readonly safety: Safety;
  /** Called before each rule is asked, with the subject as that rule sees it. */
  readonly onRule?: (rule: Rule) => void;
};

/**
 * What the rules want of one torrent, each rule seeing what the ones before it would do. Undefined while data
 * has to be fetched first; `subject.wanted` says which.
 */
export function planTorrent(
  rules: readonly Rule[],
  subject: Subject,
  { safety, onRule }: PlanOptions,
): TorrentPlan | undefined {
  const planning = new Planning(subject, safety);
  for (const rule of rules) {
    onRule?.(rule);
    const truth = evaluate(rule.condition, subject);
    if (truth === pending) return undefined;
    if (truth !== yes && truth !== no) continue;
    const isPlanned = truth === yes ? planning.match(rule) : planning.miss(rule);
    if (!isPlanned) return undefined;
    if (planning.isDeleted || (truth === yes && rule.stopOnMatch)) break;
  }
  return planning.result();
}

class Planning {
  readonly #subject: Subject;
  readonly #safety: Safety;
  readonly #changes: Change[] = [];
  readonly #held: Held[] = [];
  readonly #matched: string[] = [];
  #skipped = 0;
  #isStopped = false;
  isDeleted = false;

  constructor(subject: Subject, safety: Safety) {
    this.#subject = subject;
    this.#safety = safety;
  }

  /** False when data is missing. */
  match(rule: Rule): boolean {
    if (!rule.actions.every((action) => this.#hasAll(action))) return false;
    this.#matched.push(rule.name);
    this.#isStopped = rule.stopOnMatch;
    let because: readonly string[] | undefined;
    for (const [actionIndex, { action, params }] of rule.actions.entries()) {
      const outcome = action.plan(params, this.#subject, rule.name);
      // Reasons are told of the torrent as the rule found it, so they are taken before its first change.
      because ??= "skip" in outcome ? undefined : reasons(rule.condition, this.#subject);
      this.#take({ rule, actionIndex, outcome, because: because ?? [] });
      if (this.isDeleted) break;
    }
    return true;
  }

  miss(rule: Rule): boolean {
    // Most rules end here with most torrents, so nothing is made on the way, not even an iterator.
    for (let actionIndex = 0; actionIndex < rule.actions.length; actionIndex += 1) {
      const ruleAction = rule.actions[actionIndex];
      if (ruleAction?.planOther === undefined) continue;
      if (!this.#hasAll(ruleAction)) return false;
      const outcome = ruleAction.planOther(ruleAction.params, this.#subject, rule.name);
      if (!("skip" in outcome))
        this.#take({ rule, actionIndex, outcome, because: ["the rule does not match it"] });
    }
    return true;
  }

  #hasAll({ needs }: Pick<RuleAction, "needs">): boolean {
    let hasAll = true;
    // Every one of them is asked for, so that all are fetched in one round.
    for (const source of needs) if (!this.#subject.has(source)) hasAll = false;
    return hasAll;
  }

  #take({
    rule,
    actionIndex,
    outcome,
    because,
  }: {
    rule: Rule;
    actionIndex: number;
    outcome: Outcome;
    because: readonly string[];
  }): void {
    if ("skip" in outcome) {
      this.#skipped += 1;
      return;
    }
    const { actual } = this.#subject;
    const { operation, before, after } = outcome;
    const { hash, name } = actual;
    if (isRemoval(operation)) {
      const reason = whyProtected(this.#subject, this.#safety);
      if (reason !== undefined) {
        this.#held.push({ hash, name, rule: rule.name, reason });
        return;
      }
      this.isDeleted = operation.kind === "delete";
    }
    const action = rule.actions[actionIndex]?.action.name ?? "";
    this.#changes.push({
      hash,
      name,
      rule: rule.name,
      ruleIndex: rule.index,
      actionIndex,
      action,
      operation,
      before,
      after,
      because,
    });
    if (outcome.change !== undefined || outcome.parts !== undefined)
      this.#subject.change(outcome.change ?? {}, outcome.parts);
  }

  result(): TorrentPlan {
    const { actual, notReady, failed } = this.#subject;
    return {
      hash: actual.hash,
      name: actual.name,
      changes: this.#changes,
      held: this.#held,
      matched: this.#matched,
      skipped: this.#skipped,
      isStopped: this.#isStopped,
      notReady,
      failed,
    };
  }
}
