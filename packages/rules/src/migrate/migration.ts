import type { LineCounter } from "yaml";
import { formatProblem, type Problem } from "../compile/problem.ts";
import { offsetOf } from "./yaml-nodes.ts";

/** Something that this file did before and does no longer, or never did. */
export type Finding = {
  readonly line: number;
  readonly column: number;
  readonly rule: string | undefined;
  /** What happened with the language's first engine, and what happens now. */
  readonly message: string;
  /** The new text says it in another way; false: it is for its writer to decide. */
  readonly isRewritten: boolean;
};

/** Collects findings while a file is gone through. */
export class Migration {
  readonly findings: Finding[] = [];
  readonly #lines: LineCounter;
  rule: string | undefined;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  rewritten(node: unknown, message: string): void {
    this.#add(node, message, true);
  }

  left(node: unknown, message: string): void {
    this.#add(node, message, false);
  }

  #add(node: unknown, message: string, isRewritten: boolean): void {
    const { line, col } = this.#lines.linePos(offsetOf(node) ?? 0);
    this.findings.push({
      line: Math.max(1, line),
      column: Math.max(1, col),
      rule: this.rule,
      message,
      isRewritten,
    });
  }
}

/** `rules.yml:12:9: rule "Clean up": rewritten: …` */
export function formatFinding({ isRewritten, message, rule, ...place }: Finding, file: string): string {
  const problem: Problem = {
    ...place,
    file,
    severity: "error",
    message: `${isRewritten ? "rewritten" : "to decide"}: ${message}`,
    ...(rule !== undefined && { rule }),
  };
  return formatProblem(problem);
}
