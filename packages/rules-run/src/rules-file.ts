import { readTextFile } from "@qbit-sidecars/config";
import { formatProblem, loadRules, type Problem, type Ruleset } from "@qbit-sidecars/rules";
import type { Logger } from "@qbit-sidecars/service";
import { watch } from "chokidar";
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";

/** A rules file that is longer is a mistake. */
export const largestRulesBytes = 4 * 1024 * 1024;

/** A set of rules in force. */
export type RulesInForce = {
  readonly ruleset: Ruleset;
  /** The first 12 hex digits of the text's SHA-256. */
  readonly version: string;
  /** ISO 8601. */
  readonly loadedAt: string;
};

export type RulesState =
  | { readonly status: "ok"; readonly inForce: RulesInForce; readonly problems: readonly Problem[] }
  /** The file is wrong or gone now; what was good before is still in force. */
  | { readonly status: "stale"; readonly inForce: RulesInForce; readonly problems: readonly Problem[] }
  /** There never was a good one. */
  | { readonly status: "none"; readonly inForce?: undefined; readonly problems: readonly Problem[] };

/** There are no rules that could be run; the message says what is wrong with the file. */
export class NoRulesError extends Error {
  override readonly name = "NoRulesError";
}

export type RulesFileOptions = {
  readonly path: string;
  /** False: leave out what is wrong rather than refuse the file. */
  readonly strict?: boolean;
  readonly log: Logger;
  readonly now?: () => number;
};

/**
 * The rules file, read again when it changes. A change that is wrong is told of, and the rules before it stay in
 * force. It is also looked at before each run, because file events do not arrive on every volume.
 */
export class RulesFile {
  readonly path: string;
  readonly #options: RulesFileOptions;
  readonly #listeners = new Set<() => void>();
  #state: RulesState = { status: "none", problems: [] };
  #seen: string | undefined;
  #loading: Promise<void> | undefined;

  constructor(options: RulesFileOptions) {
    this.path = options.path;
    this.#options = options;
  }

  get state(): RulesState {
    return this.#state;
  }

  /** The rules in force, after a look at the file. @throws NoRulesError */
  async current(): Promise<RulesInForce> {
    await this.look();
    if (this.#state.inForce !== undefined) return this.#state.inForce;
    const [first] = this.#state.problems;
    throw new NoRulesError(first === undefined ? `${this.path} was not read yet` : formatProblem(first));
  }

  /** Reads the file if it is another one than when it was last read; `force` reads it anyway. */
  async look({ force = false }: { force?: boolean } = {}): Promise<RulesState> {
    // Two looks at once would race for which text is the newer one.
    while (this.#loading !== undefined) await this.#loading;
    this.#loading = this.#look(force);
    try {
      await this.#loading;
    } finally {
      this.#loading = undefined;
    }
    return this.#state;
  }

  /** Calls the listener after each change of state. Returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks whenever the file system tells of a change. */
  watch(): AsyncDisposable {
    const watcher = watch(this.path, { ignoreInitial: true, awaitWriteFinish: { stabilityThreshold: 100 } });
    const { log } = this.#options;
    const look = () => void this.look().catch((err: unknown) => log.error({ err }, "reading the rules"));
    watcher.on("add", look).on("change", look).on("unlink", look);
    watcher.on("error", (err) =>
      log.warn({ err }, "watching the rules file; it is looked at before each run"),
    );
    return { [Symbol.asyncDispose]: async () => await watcher.close() };
  }

  async #look(force: boolean): Promise<void> {
    const seen = await identity(this.path);
    if (!force && seen !== undefined && seen === this.#seen) return;
    this.#seen = seen;
    const reading = await readTextFile(this.path, largestRulesBytes);
    if (!reading.ok) return this.#refuse([fileProblem(this.path, reading.problem)]);
    const version = createHash("sha256").update(reading.text).digest("hex").slice(0, 12);
    const { strict = true, now = Date.now } = this.#options;
    const loaded = loadRules(reading.text, { file: this.path, strict });
    if (!loaded.ok) return this.#refuse(loaded.problems);
    const { ruleset } = loaded;
    const isNew = this.#state.inForce?.version !== version;
    const inForce = { ruleset, version, loadedAt: new Date(now()).toISOString() };
    this.#change({ status: "ok", inForce, problems: ruleset.warnings });
    if (isNew)
      this.#options.log.info({ rules: ruleset.rules.length, version }, `rules read from ${this.path}`);
    for (const warning of isNew ? ruleset.warnings : []) this.#options.log.warn(formatProblem(warning));
  }

  #refuse(problems: readonly Problem[]): void {
    const { inForce } = this.#state;
    const before = this.#state.problems;
    this.#change(
      inForce === undefined ? { status: "none", problems } : { status: "stale", inForce, problems },
    );
    if (String(before.map(formatProblem)) === String(problems.map(formatProblem))) return;
    const { log } = this.#options;
    for (const problem of problems)
      log[problem.severity === "error" ? "error" : "warn"](formatProblem(problem));
    if (inForce !== undefined) log.warn({ version: inForce.version }, "the rules before it stay in force");
  }

  #change(state: RulesState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** Changes whenever the file is written or replaced; undefined when it is not there. */
async function identity(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
  } catch {
    return undefined;
  }
}

function fileProblem(file: string, problem: string): Problem {
  return { severity: "error", file, line: 1, column: 1, message: `the file ${problem}` };
}
