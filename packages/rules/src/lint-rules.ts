import { type Condition, constant } from "./compile/condition.ts";
import { type Problem, Problems } from "./compile/problem.ts";
import type { Rule, Ruleset } from "./compile/rule.ts";
import { loadRules } from "./load-rules.ts";

export type LintReport = {
  /** Errors (the file does not load) and warnings (it may not do what was meant), in the order of the file. */
  readonly problems: readonly Problem[];
  readonly errors: number;
  readonly warnings: number;
};

/** Everything there is to say about a file of rules: what loading it says, and what is right and yet makes no sense. */
export function lintRules(text: string, { file = "rules.yml" }: { file?: string } = {}): LintReport {
  const loaded = loadRules(text, { file });
  const found = loaded.ok ? [...loaded.ruleset.warnings, ...senseless(loaded.ruleset)] : loaded.problems;
  const problems = found.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const errors = problems.filter(({ severity }) => severity === "error").length;
  return { problems, errors, warnings: problems.length - errors };
}

function senseless({ file, rules }: Ruleset): readonly Problem[] {
  const problems = new Problems(file);
  for (const [index, rule] of rules.entries()) {
    problems.rule = rule.name;
    if (constant(rule.condition) === "never") problems.warn(rule.at, "its conditions hold for no torrent");
    const ender = rules.slice(0, index).find((earlier) => endsRunBefore(earlier, rule));
    if (ender !== undefined)
      problems.warn(
        rule.at,
        `it is never reached: rule ${JSON.stringify(ender.name)} matches every torrent and stops there`,
      );
    for (const field of wantedTwice(rule.condition))
      problems.warn(rule.at, `all: wants ${field} to be equal to two different values, which it never is`);
  }
  return problems.list;
}

function endsRunBefore(earlier: Rule, rule: Rule): boolean {
  const runsToo =
    earlier.contexts.length === 0 ||
    (rule.contexts.length > 0 && rule.contexts.every((word) => earlier.contexts.includes(word)));
  return earlier.enabled && earlier.stopOnMatch && runsToo && constant(earlier.condition) === "always";
}

/** Fields that one group wants to be `==` to two values at once. */
function wantedTwice(condition: Condition): string[] {
  if (condition.kind !== "all") return [];
  // A condition that is written twice is one and the same.
  const leaves = new Set(condition.items.filter((item) => item.kind === "leaf"));
  const fields = [...leaves].flatMap(({ operator, field }) =>
    operator.name === "==" && !field.isList ? [field.name] : [],
  );
  return [...new Set(fields.filter((field, at) => fields.indexOf(field) !== at))];
}
