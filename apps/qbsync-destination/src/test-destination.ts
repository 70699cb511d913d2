import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { freePort, waitFor } from "@qbit-sidecars/testing";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** For tests: the program in a process of its own, which can be killed. */
export class TestDestination implements AsyncDisposable {
  readonly port: number;
  readonly healthPort: number;
  readonly #argv: readonly string[];
  readonly #command: readonly string[];
  readonly #env: Record<string, string>;
  #process: ChildProcess | undefined;
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
    return this.#process?.pid ?? 0;
  }

  async start(): Promise<void> {
    const [program = process.execPath, ...before] = this.#command;
    const child = spawn(
      program,
      [
        ...before,
        ...(this.#command.length > 0 ? [process.execPath] : []),
        main,
        `--listen=127.0.0.1:${this.port}`,
        `--health-addr=127.0.0.1:${this.healthPort}`,
        "--keep-free=0",
        "--log-level=debug",
        ...this.#argv,
      ],
      { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"], ...this.#env } },
    );
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text: Buffer) => {
        this.output += text.toString();
      });
    await waitFor(
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${this.output}`);
        return (await fetch(`${this.url}/readyz`).catch(() => undefined))?.ok;
      },
      { what: "the destination to be ready", timeoutMs: 20_000 },
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.healthPort}`;
  }

  /** The value of a metric, the sum over its labels. */
  async metric(name: string, label = ""): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const lines = text.split("\n").filter((line) => line.startsWith(name) && line.includes(label));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
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
