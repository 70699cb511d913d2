import { errorCode, type Output } from "@qbit-sidecars/service";
import { closeSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config.ts";

/** Above this size the file becomes `….1`, and the one of that name goes. */
const mostBytes = 10 * 1024 * 1024;

/** Where the settings say; undefined: no file. */
export function logPath({ logFile, configDir }: Pick<Config, "logFile" | "configDir">): string | undefined {
  return logFile === "" ? undefined : (logFile ?? join(configDir, "qbt-rules.log"));
}

/**
 * Text that goes to an output and into a file as well. A file that cannot be written costs nothing but itself: the
 * output gets everything. Writes are synchronous, because the last lines before an exit are those that matter.
 */
export class LogFile implements Output {
  readonly #output: Output;
  readonly #path: string;
  #file: number | undefined;
  #bytes = 0;
  /** Why the file is not written; undefined while it is. */
  problem: string | undefined;

  constructor(path: string, output: Output) {
    this.#path = path;
    this.#output = output;
    this.#attempt("opening", () => this.#open());
  }

  get isTTY(): boolean {
    return this.#output.isTTY === true;
  }

  get columns(): number {
    return this.#output.columns ?? 80;
  }

  write(text: string): unknown {
    if (this.#file !== undefined) this.#attempt("writing", () => this.#append(text));
    return this.#output.write(text);
  }

  on(event: "error", listener: (error: Error) => void): unknown {
    return this.#output.on?.(event, listener);
  }

  #open(): void {
    this.#file = openSync(this.#path, "a", 0o640);
    this.#bytes = statSync(this.#path).size;
  }

  #append(text: string): void {
    if (this.#bytes > mostBytes) {
      if (this.#file !== undefined) closeSync(this.#file);
      renameSync(this.#path, `${this.#path}.1`);
      this.#open();
    }
    if (this.#file !== undefined) this.#bytes += writeSync(this.#file, text);
  }

  #attempt(doing: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      const code = errorCode(error) ?? "unknown error";
      this.problem = `${doing} the log file ${this.#path}: ${code}; the log goes on without it`;
      this.#file = undefined;
      // Not while it is being opened: the log has not begun then, and whoever opened it tells.
      if (doing === "writing") this.#output.write(`${this.problem}\n`);
    }
  }
}
