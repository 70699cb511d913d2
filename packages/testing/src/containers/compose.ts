import { spawn } from "node:child_process";
import { once } from "node:events";
import { ServerUnavailableError } from "../servers/find-program.ts";
import { runCommand } from "../servers/run-command.ts";
import { tellSkip } from "../servers/server-at-hand.ts";
import { waitFor } from "../wait-for.ts";
import { ContainerEngine } from "./engine.ts";
import { EngineRoom } from "./engine-room.ts";
import type { PodAnswer } from "./pod.ts";
import { type ContainerCommand, runToEnd } from "./running-container.ts";

const socket = "unix:///run/podman.sock";

/** Docker Compose in front of a podman, in a network of their own from which nothing gets out. Images must be at hand. */
export type ComposeEngine = AsyncDisposable & {
  engine: ContainerEngine;
  /** What Compose makes of the files: interpolated, merged, with all defaults. @throws Error with what it said */
  config(options: ComposeOptions): Promise<object>;
  /** Starts all services of the files, and does not wait for more than their start. @throws Error with what it said */
  up(options: ComposeOptions): Promise<RunningCompose>;
};

export type ComposeOptions = {
  /** The project's: relative paths in the files start there. */
  folder: string;
  /** Later ones change earlier ones. */
  files: readonly string[];
  profiles?: readonly string[];
};

export type RunningCompose = AsyncDisposable & {
  exec(service: string, args: readonly string[]): Promise<ContainerCommand>;
  /** Makes a request from within the network of a service. @throws Error when nothing answers */
  fetch(service: string, url: string, options?: { method?: string }): Promise<PodAnswer>;
  /** Stops services with SIGTERM and starts them again; data on volumes stays. */
  restart(...services: readonly string[]): Promise<void>;
  /** "running", "exited" … by service. */
  states(): Promise<Record<string, string>>;
  /** Everything that all services printed. */
  output(): Promise<string>;
  /** Stops all services; their exit codes. */
  stop(): Promise<Record<string, number>>;
};

/** @throws Error saying what the machine lacks */
export async function startCompose(env: NodeJS.ProcessEnv = process.env): Promise<ComposeEngine> {
  await using closers = new AsyncDisposableStack();
  const room = closers.use(await EngineRoom.open({ network: "own", env }));
  const commandLine = (args: readonly string[]) => room.commandLine("podman", args);
  const origin = "Docker Compose and podman in a Debian root";
  const engine = new ContainerEngine(
    { origin, kind: "podman", isOfMachine: false, commandLine },
    new AsyncDisposableStack(),
  );
  closers.defer(await serveApi(room));
  const compose = ({ folder, files, profiles = [] }: ComposeOptions, args: readonly string[]) => {
    const named = [
      `--project-directory=${folder}`,
      ...files.map((file) => `--file=${file}`),
      ...profiles.map((profile) => `--profile=${profile}`),
    ];
    return room.commandLine("env", [`DOCKER_HOST=${socket}`, "docker-compose", ...named, ...args]);
  };
  const resources = closers.move();
  return {
    engine,
    async config(options) {
      const [command, ...args] = compose(options, ["config", "--format=json"]);
      return JSON.parse(await runCommand(command, args)) as object;
    },
    async up(options) {
      return await composeUp(engine, (args) => compose(options, args));
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Whether a test file must do without; told on stderr, an error under `CI=true`, as `isEngineMissing`. */
export async function isComposeMissing(env = process.env): Promise<boolean> {
  try {
    await using _ = await startCompose(env);
    return false;
  } catch (cause) {
    const message = `Docker Compose cannot be had: ${cause instanceof Error ? cause.message : String(cause)}`;
    if (env.CI === "true") throw new ServerUnavailableError(message, { cause });
    tellSkip(message);
    return true;
  }
}

/** Docker's API, by podman. @returns what ends it */
async function serveApi(room: EngineRoom): Promise<() => Promise<void>> {
  const [command, ...args] = room.commandLine("podman", ["system", "service", "--time=0", socket]);
  const service = spawn(command, args, { stdio: "ignore" });
  const ended = once(service, "exit");
  const [look, ...lookArgs] = room.commandLine("podman", ["--url", socket, "info"]);
  const answers = async () => await runCommand(look, lookArgs, { timeoutMs: 5000 });
  await waitFor(answers, { what: "podman's API", timeoutMs: 30_000 });
  return async () => {
    service.kill("SIGTERM");
    await ended;
  };
}

type Line = (args: readonly string[]) => readonly [string, ...string[]];

async function composeUp(engine: ContainerEngine, line: Line): Promise<RunningCompose> {
  await using closers = new AsyncDisposableStack();
  const run = async (...args: string[]) => {
    const [command, ...rest] = line(args);
    return await runCommand(command, rest);
  };
  closers.defer(async () => void (await run("down", "--timeout=1", "--volumes").catch(() => {})));
  await run("up", "--detach", "--pull=never", "--quiet-pull");
  const containers = async () => {
    const lines = (await run("ps", "--all", "--format=json")).trim().split("\n").filter(Boolean);
    return lines.map(
      (each) => JSON.parse(each) as { Service: string; ID: string; State: string; ExitCode: number },
    );
  };
  const resources = closers.move();
  return {
    exec: (service, args) => runToEnd(line(["exec", "--no-TTY", service, ...args])),
    async fetch(service, url, { method = "GET" } = {}) {
      const id = (await containers()).find((container) => container.Service === service)?.ID ?? "";
      const script = `fetch(${JSON.stringify(url)},{method:${JSON.stringify(method)}})
        .then(async (r)=>console.log(JSON.stringify({status:r.status,body:await r.text()})))`;
      const beside = ["run", "--rm", `--network=container:${id}`, await engine.baseImage(), "-e", script];
      return JSON.parse(await engine.command(beside)) as PodAnswer;
    },
    async restart(...services) {
      await run("restart", "--timeout=15", ...services);
    },
    async states() {
      return Object.fromEntries((await containers()).map(({ Service, State }) => [Service, State]));
    },
    output: async () => (await runToEnd(line(["logs", "--no-color", "--timestamps"]))).output,
    async stop() {
      await run("stop", "--timeout=15");
      return Object.fromEntries((await containers()).map(({ Service, ExitCode }) => [Service, ExitCode]));
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
