/** One thing to say about a rules file. */
export type Problem = {
  readonly severity: "error" | "warning";
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** The rule it stands in, if it stands in one. */
  readonly rule?: string;
  readonly message: string;
};

export type Place = { readonly line: number; readonly column: number };

/** `rules.yml:12:9: rule "Clean up": there is no field info.nmae; did you mean info.name?` */
export function formatProblem({ file, line, column, rule, message, severity }: Problem): string {
  const inRule = rule === undefined ? "" : `rule ${JSON.stringify(rule)}: `;
  return `${file}:${line}:${column}: ${severity === "warning" ? "warning: " : ""}${inRule}${message}`;
}

/** Collects what is wrong, so that a person sees all of it at once. */
export class Problems {
  readonly list: Problem[] = [];
  readonly #file: string;
  #errors = 0;
  /** Name of the rule that is being read. */
  rule: string | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Returns undefined, for readers that have nothing to return but the problem. */
  error(place: Place, message: string): undefined {
    this.#add("error", place, message);
    return undefined;
  }

  warn(place: Place, message: string): void {
    this.#add("warning", place, message);
  }

  get errors(): number {
    return this.#errors;
  }

  /** From here on what was found since `mark` (a length of `list`) does not keep the file from loading. */
  demote(mark: number): void {
    for (let at = mark; at < this.list.length; at += 1) {
      const problem = this.list[at];
      if (problem?.severity !== "error") continue;
      this.list[at] = { ...problem, severity: "warning" };
      this.#errors -= 1;
    }
  }

  #add(severity: Problem["severity"], { line, column }: Place, message: string): void {
    if (severity === "error") this.#errors += 1;
    const rule = this.rule === undefined ? {} : { rule: this.rule };
    this.list.push({ severity, file: this.#file, line, column, ...rule, message });
  }
}
