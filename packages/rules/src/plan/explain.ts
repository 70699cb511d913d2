import type { Condition } from "../compile/condition.ts";
import type { Rule } from "../compile/rule.ts";
import { sourceCalls } from "../language/source.ts";
import { type Truth, truthNames } from "../language/truth.ts";
import type { Safety } from "../compile/safety.ts";
import { evaluate } from "./evaluate.ts";
import { planTorrent } from "./plan-torrent.ts";
import { actualValue } from "./reasons.ts";
import type { Subject } from "./subject.ts";

type Answer = (typeof truthNames)[number];

/** A condition with what it found. */
export type ConditionExplanation = {
  /** `info.ratio >= 2`, or the group's word. */
  readonly condition: string;
  readonly answer: Answer;
  /** As JSON; undefined for groups and where there is no value. */
  readonly actual?: string;
  /** Which call the value came from. */
  readonly source?: string;
  readonly items?: readonly ConditionExplanation[];
};

export type RuleExplanation = {
  readonly rule: string;
  /** `not reached`: an earlier rule ended the run for this torrent. */
  readonly answer: Answer | "not reached";
  readonly conditions: ConditionExplanation | undefined;
};

export type ExplainOptions = {
  readonly safety: Safety;
  /** Gets what `subject.wanted` names. */
  readonly fetch: () => Promise<void>;
};

const mostRounds = 40;

/**
 * Answers every condition of every rule for one torrent, also those a run would not have had to ask. As in a run
 * each rule sees what the ones before it would change.
 */
export async function explainRules(
  rules: readonly Rule[],
  subject: Subject,
  { safety, fetch }: ExplainOptions,
): Promise<RuleExplanation[]> {
  const explained = new Map<Rule, ConditionExplanation>();
  for (let round = 0; round < mostRounds; round += 1) {
    subject.reset();
    for (const { condition } of rules) touch(condition, subject);
    planTorrent(rules, subject, {
      safety,
      onRule: (rule) => explained.set(rule, explain(rule.condition, subject)),
    });
    if (subject.wanted.size === 0 || subject.isGone) break;
    await fetch();
  }
  return rules.map((rule) => {
    const conditions = explained.get(rule);
    return { rule: rule.name, answer: conditions?.answer ?? "not reached", conditions };
  });
}

/** Asks every leaf, so that all that is missing becomes wanted. */
function touch(condition: Condition, subject: Subject): void {
  if (condition.kind === "leaf") evaluate(condition, subject);
  else for (const item of condition.items) touch(item, subject);
}

function explain(condition: Condition, subject: Subject): ConditionExplanation {
  const answer = word(evaluate(condition, subject));
  if (condition.kind !== "leaf")
    return {
      condition: condition.kind,
      answer,
      items: condition.items.map((item) => explain(item, subject)),
    };
  const actual = actualValue(condition, subject);
  return {
    condition: condition.text,
    answer,
    source: sourceCalls[condition.field.source],
    ...(actual !== undefined && { actual }),
  };
}

function word(truth: Truth): Answer {
  return truthNames[truth];
}
