import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tiedToThisProcess } from "../tied-to-this-process.ts";
import { waitFor } from "../wait-for.ts";
import type { CommandLine } from "./program.ts";

export type ServerOptions = {
  /** The server's name in errors, such as "qBittorrent 5.3.0". */
  name: string;
  commandLine: CommandLine;
  cwd: string;
  /** Asks the server whether it serves; throwing is "not yet". */
  isReady: () => Promise<boolean>;
  /** Lets the owner delete what the server leaves, once it is gone for good. */
  cleanUp: () => Promise<void>;
  /** How long `stop` waits before it kills, default 10 s. */
  stopMs?: number;
};

const deadlines = { readyMs: 30_000, stopMs: 10_000 };
const outputLimit = 200_000;

/** One server process of a test: it can be stopped, killed, frozen and started again, always with the same files. */
export class ServerProcess implements AsyncDisposable {
  readonly #options: ServerOptions;
  #child: ChildProcess | undefined;
  #output = "";

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** @throws Error when the server is not running */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.#options.name} is not running`);
    return pid;
  }

  /** What the server printed so far on both streams, the last 200,000 characters of it. */
  output(): string {
    return this.#output;
  }

  /** Starts the server, after `stop` or `kill` with the same files and ports, and resolves when it serves. */
  async start(): Promise<void> {
    if (this.#child) return;
    const { name, isReady } = this.#options;
    this.#spawn();
    try {
      await waitFor(() => this.#child === undefined || isReady(), {
        what: `${name} to serve`,
        timeoutMs: deadlines.readyMs,
      });
      if (!this.#child) throw new Error(`${name} ended while starting`);
    } catch (error) {
      await this.kill();
      throw new Error(`starting ${name}; it printed:\n${this.#output}`, { cause: error });
    }
  }

  /** Asks the server to end (SIGTERM), and kills it when it has not done so in time. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#signal("SIGCONT");
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), this.#options.stopMs ?? deadlines.stopMs);
    await ended(child);
    clearTimeout(timer);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Ends the server without giving it time to save anything, as the out-of-memory killer does. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#signal("SIGKILL");
    await ended(child);
  }

  /** Freezes the server: connections to it are accepted by the kernel and never answered. */
  pause(): void {
    this.#signal("SIGSTOP");
  }

  resume(): void {
    this.#signal("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#options.cleanUp();
  }

  #spawn(): void {
    const { commandLine, cwd } = this.#options;
    const { command, args, env, container } = commandLine;
    // The client of a container engine passes a SIGTERM on to its container, but cannot pass on its own death.
    const tied = tiedToThisProcess(command, args, container ? "SIGTERM" : "SIGKILL");
    const child = spawn(...tied, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    // For where the kernel does not do it (see tiedToThisProcess).
    const onExit = () => this.#signal("SIGKILL");
    process.once("exit", onExit);
    const forget = () => {
      process.off("exit", onExit);
      if (this.#child === child) this.#child = undefined;
    };
    child.once("exit", forget).once("error", (error) => {
      this.#keep(`${String(error)}\n`);
      forget();
    });
    child.stdout.on("data", (chunk: Buffer) => this.#keep(chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => this.#keep(chunk.toString()));
  }

  #keep(text: string): void {
    this.#output = (this.#output + text).slice(-outputLimit);
  }

  #signal(signal: NodeJS.Signals): void {
    const { container } = this.#options.commandLine;
    if (!this.#child) return;
    if (container) container.signal(signal);
    else this.#child.kill(signal);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
