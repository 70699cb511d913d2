import { tiedToThisProcess } from "@qbit-sidecars/testing";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

/** One line of an app's JSON log. */
export type LogLine = {
  level: string;
  msg: string;
  time: string;
  err?: { message: string };
  [key: string]: unknown;
};

export type RunAppOptions = {
  env?: Record<string, string>;
  args?: readonly string[];
  nodeArgs?: readonly string[];
  onLine?: (line: LogLine) => void;
  /** Each piece of what it prints, on both streams, as it was printed. */
  onText?: (text: string) => void;
  /** How many of its latest lines are kept; default all. */
  keep?: number;
};

/** An app run from its built bundle, as an image would run it. */
export class RunningApp implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;
  readonly lines: LogLine[] = [];
  /** Resolves with the exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
  #errors = "";

  constructor(app: string, options: RunAppOptions) {
    const { env = {}, args = [], nodeArgs = [], onLine, onText, keep = Infinity } = options;
    const bundle = fileURLToPath(new URL(`../../../apps/${app}/dist/main.js`, import.meta.url));
    // Nothing of this process's environment: what is set here is all the app gets. As in the images, one malloc arena:
    // glibc makes one for each thread of libuv's pool, 1.5 MB that a service of one thread has no use for.
    this.#process = spawn(...tiedToThisProcess(process.execPath, [...nodeArgs, bundle, ...args]), {
      env: { LOG_FORMAT: "json", MALLOC_ARENA_MAX: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const child = this.#process;
    // For where the kernel does not do it.
    const killChild = () => child.kill("SIGKILL");
    process.once("exit", killChild);
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => {
        process.off("exit", killChild);
        resolve(code ?? signal ?? "unknown");
      });
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
      onText?.(text);
    });
    createInterface({ input: child.stdout }).on("line", (text) => {
      onText?.(text);
      const line = toLogLine(text);
      if (this.lines.push(line) > keep) this.lines.shift();
      onLine?.(line);
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** All of stderr so far. */
  get errors(): string {
    return this.#errors;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGTERM");
    const deadline = setTimeout(() => this.kill("SIGKILL"), 15_000);
    await this.ended;
    clearTimeout(deadline);
  }
}

/** Starts an app from `apps/<app>/dist/main.js`, which `npm run build` makes. */
export function runApp(app: string, options: RunAppOptions = {}): RunningApp {
  return new RunningApp(app, options);
}

function toLogLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { level: "info", msg: text, time: "" };
  }
}
