import { spawn } from "node:child_process";
import type { EngineCommands } from "./engine-commands.ts";

export type ContainerOptions = {
  image: string;
  env?: Readonly<Record<string, string>>;
  /** Arguments after the image's entrypoint. */
  args?: readonly string[];
  /** Where there are new volumes, which belong to whom the image says. */
  volumes?: readonly string[];
  memoryMegabytes?: number;
};

/** How a command ended, and what it printed on both streams. */
export type ContainerCommand = { code: number; output: string };

/** A container that may do nothing but what the images promise to need: no capability, no new privilege, no writing. */
export type RunningContainer = AsyncDisposable & {
  name: string;
  /** Runs a program of the image in the container. */
  exec(args: readonly string[]): Promise<ContainerCommand>;
  /** Everything it printed so far, both streams. */
  output(): Promise<string>;
  /** Asks it to end with SIGTERM and gives its exit code: 137 for one that had to be killed after 15 s. */
  stop(): Promise<number>;
  /** Of its main process: RssAnon is its own; the rest of VmRSS is mostly the node binary, shared with every other. */
  memory(): Promise<{ privateBytes: number; totalBytes: number }>;
};

/** @param options what may be written is the volumes alone; the network is the machine's */
export async function runContainer(
  engine: EngineCommands,
  { image, env = {}, args = [], volumes = [], memoryMegabytes = 64 }: ContainerOptions,
): Promise<RunningContainer> {
  const name = engine.newName();
  await engine.command([
    "run",
    "--detach",
    `--name=${name}`,
    "--network=host",
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    `--memory=${memoryMegabytes}m`,
    `--memory-swap=${memoryMegabytes}m`,
    ...(engine.playsPods ? ["--read-only-tmpfs=false"] : []),
    ...Object.entries(env).map(([key, value]) => `--env=${key}=${value}`),
    ...volumes.map((path) => `--volume=${path}`),
    image,
    ...args,
  ]);
  return {
    name,
    exec: (command) => runToEnd(engine.commandLine(["exec", name, ...command])),
    output: async () => (await runToEnd(engine.commandLine(["logs", name]))).output,
    async stop() {
      await engine.command(["stop", "--time=15", name]);
      return Number(
        await engine.command(["inspect", "--type=container", "--format={{.State.ExitCode}}", name]),
      );
    },
    async memory() {
      const script = "require('node:fs').readFileSync('/proc/1/status','utf8')";
      const beside = ["run", "--rm", "--network=none", `--pid=container:${name}`, await engine.baseImage()];
      const status = await engine.command([...beside, "-p", script]);
      const kibibytes = (field: string) =>
        Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "mu").exec(status)?.[1]);
      return { privateBytes: kibibytes("RssAnon") * 1024, totalBytes: kibibytes("VmRSS") * 1024 };
    },
    async [Symbol.asyncDispose]() {
      await engine
        .command(["rm", "--force", ...(engine.playsPods ? ["--time=0"] : []), "--volumes", name])
        .catch(() => {});
    },
  };
}

/** Runs a command whose failure is an answer too. */
export function runToEnd([command, ...args]: readonly [string, ...string[]]): Promise<ContainerCommand> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 128, output }));
  });
}
