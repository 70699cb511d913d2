import { runApp, type RunAppOptions, type RunningApp } from "./run-app.ts";

/** Long enough for a port to be free again, short enough to be no outage of its own. */
const restartMs = 500;

/** Enough to see what it was doing. */
const lastLines = 5;

/**
 * An app from its bundle that is started again whenever it ends, as a kubelet or Compose would, with the same
 * variables and so the same ports and folders.
 */
export class SupervisedApp implements AsyncDisposable {
  readonly name: string;
  readonly #options: RunAppOptions;
  #running: RunningApp | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isWanted = false;
  #endedByItself: string[] = [];

  constructor(name: string, options: RunAppOptions) {
    this.name = name;
    this.#options = options;
    this.up();
  }

  /** Undefined while it is down. */
  get pid(): number | undefined {
    return this.#running?.pid;
  }

  /** How it ended each time that nobody asked it to: exit code or signal, and what it said last. */
  get endedByItself(): readonly string[] {
    return this.#endedByItself;
  }

  /** kill -9, as the out-of-memory killer does it: it has no time for anything, and stays down until `up`. */
  async kill(): Promise<void> {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    const running = this.#running;
    running?.kill("SIGKILL");
    await running?.ended;
  }

  /** SIGTERM, as at every update; it stays down until `up`. */
  async stop(): Promise<void> {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    await this.#running?.[Symbol.asyncDispose]();
  }

  up(): void {
    this.#isWanted = true;
    if (this.#running !== undefined) return;
    const running = runApp(this.name, this.#options);
    this.#running = running;
    void running.ended.then((how) => this.#ended(how, running));
  }

  /** Freezes it: what is connected to it stays connected, and is not answered. */
  pause(): void {
    this.#running?.kill("SIGSTOP");
  }

  resume(): void {
    this.#running?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.resume();
    await this.stop();
  }

  #ended(how: number | string, { lines, errors }: RunningApp): void {
    this.#running = undefined;
    if (!this.#isWanted) return;
    const lastWords = [...lines.slice(-lastLines).map((line) => JSON.stringify(line)), errors.trim()];
    this.#endedByItself.push([how, ...lastWords].join("\n  "));
    this.#timer = setTimeout(() => this.up(), restartMs);
  }
}
