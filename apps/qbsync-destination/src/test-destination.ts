import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import process from "node:process";
import type { ProcessLike } from "@qbit-sidecars/service";
import { freePort, waitFor } from "@qbit-sidecars/testing";
import { program } from "./program.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

/**
 * For tests: the program in a process of its own, which can be killed. While coverage is measured it runs in the test's
 * process, where what it reaches is seen, and a kill is a stop.
 */
export class TestDestination implements AsyncDisposable {
  readonly port: number;
  readonly healthPort: number;
  readonly #argv: readonly string[];
  readonly #command: readonly string[];
  readonly #env: Record<string, string>;
  #process: ChildProcess | undefined;
  #stopHere: (() => Promise<void>) | undefined;
  output = "";

  private constructor(
    ports: { port: number; healthPort: number },
    argv: readonly string[],
    { command, env }: { command: readonly string[]; env: Record<string, string> },
  ) {
    this.port = ports.port;
    this.healthPort = ports.healthPort;
    this.#argv = argv;
    this.#command = command;
    this.#env = env;
  }

  /** @param command put before node, such as `unshare` */
  static async start(
    argv: readonly string[],
    command: readonly string[] = [],
    env: Record<string, string> = {},
  ): Promise<TestDestination> {
    const ports = { port: await freePort(), healthPort: await freePort() };
    const destination = new TestDestination(ports, argv, { command, env });
    await destination.start();
    return destination;
  }

  get pid(): number {
    return this.#process?.pid ?? process.pid;
  }

  async start(): Promise<void> {
    const argv = [
      `--listen=127.0.0.1:${this.port}`,
      `--health-addr=127.0.0.1:${this.healthPort}`,
      "--keep-free=0",
      "--log-level=debug",
      ...this.#argv,
    ];
    const isMeasured = process.env["QBIT_SIDECARS_COVERAGE"] !== undefined && this.#command.length === 0;
    const ended = isMeasured ? this.#startHere(argv) : this.#startProcess(argv);
    await waitFor(
      async () => {
        const code = ended();
        if (code !== undefined) throw new Error(`it ended with ${code}:\n${this.output}`);
        return (await fetch(`${this.url}/readyz`).catch(() => undefined))?.ok;
      },
      { what: "the destination to be ready", timeoutMs: 20_000 },
    );
  }

  #startProcess(argv: readonly string[]): () => number | undefined {
    const [command = process.execPath, ...before] = this.#command;
    const node = this.#command.length > 0 ? [process.execPath] : [];
    const child = spawn(command, [...before, ...node, main, ...argv], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], ...this.#env },
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text: Buffer) => {
        this.output += text.toString();
      });
    return () => child.exitCode ?? undefined;
  }

  #startHere(argv: readonly string[]): () => number | undefined {
    const signals = new Map<string, (...args: never[]) => void>();
    const output = { write: (text: string) => (this.output += text) };
    const { promise: exited, resolve } = Promise.withResolvers<number>();
    let code: number | undefined;
    const here: ProcessLike = {
      argv: ["node", "main.ts", ...argv],
      env: this.#env,
      stdout: output,
      stderr: output,
      on: (event: string, listener: (...args: never[]) => void) => signals.set(event, listener),
      exit: (with_: number) => resolve((code = with_)),
    };
    program(here).catch(() => resolve((code = -1)));
    this.#stopHere = async () => {
      signals.get("SIGTERM")?.();
      await exited;
    };
    return () => code;
  }

  /** By itself, or because it was killed. */
  get hasEnded(): boolean {
    const child = this.#process;
    return child !== undefined && (child.exitCode !== null || child.signalCode !== null);
  }

  get url(): string {
    return `http://127.0.0.1:${this.healthPort}`;
  }

  /** Resolves when the log has a line like this: it comes through a pipe, later than answers over the network. */
  async said(line: RegExp): Promise<void> {
    await waitFor(() => line.test(this.output), { what: `${line} in the log; ${this.output.slice(-2000)}` });
  }

  /** The value of a metric, the sum over its labels. */
  async metric(name: string, label = ""): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const lines = text.split("\n").filter((line) => line.startsWith(name) && line.includes(label));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    await this.#stopHere?.();
    this.#stopHere = undefined;
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGTERM");
  }
}
