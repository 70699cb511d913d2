import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { ServerUnavailableError } from "../servers/find-program.ts";
import { runCommand } from "../servers/run-command.ts";
import { tellSkip } from "../servers/server-at-hand.ts";
import { type Architecture, baseImageContext } from "./base-image.ts";
import type { EngineCommands } from "./engine-commands.ts";
import { EngineRoom } from "./engine-room.ts";
import { type ImageContents, readImage } from "./image-contents.ts";
import { playPod, type PodOptions, type RunningPod } from "./pod.ts";
import { type ContainerOptions, type RunningContainer, runContainer } from "./running-container.ts";

/** How the command line of an engine is run, and which of the two it is. */
export type EngineCommand = {
  /** For people: "podman 5.4.2 in a Debian root". */
  origin: string;
  kind: "podman" | "docker";
  /** Whether it is the machine's own, which may reach registries; ours is for where nothing does. */
  isOfMachine: boolean;
  commandLine(args: readonly string[]): readonly [string, ...string[]];
};

export type BuildOptions = {
  /** Folder that is sent to the build. */
  context: string;
  /** Path of the Dockerfile, by default the one of the context. */
  file?: string;
  /** Stage of the Dockerfile, by default the last. */
  target?: string;
  args?: Readonly<Record<string, string>>;
  labels?: Readonly<Record<string, string>>;
  tag: string;
  platform?: string;
  /** OCI's has no place for a HEALTHCHECK; docker's, the default, holds a random id: two builds are never equal. */
  format?: "docker" | "oci";
};

/** A container engine: podman or docker on PATH, or podman in a Debian root of its own. */
export class ContainerEngine implements EngineCommands, AsyncDisposable {
  readonly #command: EngineCommand;
  readonly #closers: AsyncDisposableStack;

  constructor(command: EngineCommand, closers: AsyncDisposableStack) {
    this.#command = command;
    this.#closers = closers;
  }

  get origin(): string {
    return this.#command.origin;
  }

  get playsPods(): boolean {
    return this.#command.kind === "podman";
  }

  async command(args: readonly string[], { timeoutMs = 120_000 } = {}): Promise<string> {
    const [command, ...rest] = this.#command.commandLine(args);
    return await runCommand(command, rest, { timeoutMs });
  }

  commandLine(args: readonly string[]): readonly [string, ...string[]] {
    return this.#command.commandLine(args);
  }

  /** Builds an image from a Dockerfile without its cache, and returns its id. */
  async build({
    context,
    file,
    target,
    args = {},
    labels = {},
    tag,
    platform,
    format = "docker",
  }: BuildOptions): Promise<string> {
    const isPodman = this.#command.kind === "podman";
    const reproducible = isPodman
      ? ["--isolation=chroot", `--format=${format}`, "--timestamp=0", "--no-cache", "--pull=never"]
      : ["--build-arg=SOURCE_DATE_EPOCH=0", "--no-cache"];
    await this.command([
      "build",
      "--quiet",
      ...reproducible,
      ...Object.entries(args).map(([name, value]) => `--build-arg=${name}=${value}`),
      ...Object.entries(labels).map(([name, value]) => `--label=${name}=${value}`),
      ...(platform === undefined ? [] : [`--platform=${platform}`]),
      ...(target === undefined ? [] : [`--target=${target}`]),
      `--tag=${tag}`,
      `--file=${file ?? join(context, "Dockerfile")}`,
      context,
    ]);
    return (await this.command(["image", "inspect", "--format={{.Id}}", tag]))
      .trim()
      .replace(/^sha256:/u, "");
  }

  /**
   * The image that the project's images are built upon: the one `QBIT_SIDECARS_BASE_IMAGE` names, distroless' own where
   * it can be pulled, or a stand-in for it that is made here.
   */
  async baseImage(architecture: Architecture = hostArchitecture()): Promise<string> {
    const named = process.env.QBIT_SIDECARS_BASE_IMAGE;
    const major = process.versions.node.split(".")[0];
    const real = named || (this.#command.isOfMachine && `gcr.io/distroless/nodejs${major}-debian13:nonroot`);
    if (real && (await this.#hasPulled(real, architecture))) return real;
    const tag = `localhost/qbit-sidecars/nodejs${major}-debian13-${architecture}:nonroot`;
    const isThere = await this.command(["image", "inspect", tag]).catch(() => undefined);
    const context = await baseImageContext(architecture);
    if (isThere === undefined) await this.build({ context, tag, platform: `linux/${architecture}` });
    return tag;
  }

  async #hasPulled(image: string, architecture: Architecture): Promise<boolean> {
    const isThere = await this.command(["image", "inspect", "--format={{.Architecture}}", image]).catch(
      () => "",
    );
    if (isThere.trim() === architecture) return true;
    const pull = this.command(["pull", "--quiet", `--platform=linux/${architecture}`, image]);
    return await pull.then(
      () => true,
      () => false,
    );
  }

  /** Starts a container on the machine's network; it ends, and is removed, when it is disposed of. */
  async run(options: ContainerOptions): Promise<RunningContainer> {
    return await runContainer(this, options);
  }

  /** Plays the pods of Kubernetes manifests (YAML); see RunningPod. */
  async playPod(yaml: string, options: PodOptions = {}): Promise<RunningPod> {
    if (!this.playsPods) throw new Error(`${this.origin} cannot play pods: that takes podman`);
    return await playPod(this, { yaml, ...options });
  }

  /** How many layers an image has. */
  async layersOf(image: string): Promise<number> {
    return Number(await this.command(["image", "inspect", "--format={{len .RootFS.Layers}}", image]));
  }

  /** What an image is made of. */
  async contents(image: string): Promise<ImageContents> {
    return await readImage(this, image);
  }

  newName(): string {
    return `qbit-sidecars-${randomUUID()}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closers.disposeAsync();
  }
}

function hostArchitecture(): Architecture {
  return process.arch === "arm64" ? "arm64" : "amd64";
}

/**
 * The first that works, or the one `QBIT_SIDECARS_CONTAINER_ENGINE` names (podman, docker, own): podman on PATH, docker on PATH, podman in a Debian root of its own (which takes root, and makes
 * that root the first time in 15 seconds and 400 MB).
 *
 * @throws ServerUnavailableError saying why each does not work
 */
export async function startEngine(env: NodeJS.ProcessEnv = process.env): Promise<ContainerEngine> {
  const reasons: string[] = [];
  const { QBIT_SIDECARS_CONTAINER_ENGINE: wanted } = env;
  for (const kind of (["podman", "docker"] as const).filter((name) => !wanted || name === wanted)) {
    const works = await runCommand(kind, ["info"], { env, timeoutMs: 20_000 }).catch((error: unknown) => {
      reasons.push(messageOf(error).split("\n").at(-1) ?? "");
    });
    if (works === undefined) continue;
    const commandLine = (args: readonly string[]) => [kind, ...args] as const;
    return new ContainerEngine(
      { origin: `${kind} on PATH`, kind, isOfMachine: true, commandLine },
      new AsyncDisposableStack(),
    );
  }
  if (!wanted || wanted === "own") {
    try {
      return await engineOfOurOwn(env);
    } catch (error) {
      reasons.push(messageOf(error));
    }
  }
  const list = reasons.map((reason) => `\n  - ${reason}`).join("");
  throw new ServerUnavailableError(`a container engine cannot be had; install podman or docker:${list}`);
}

async function engineOfOurOwn(env: NodeJS.ProcessEnv): Promise<ContainerEngine> {
  await using closers = new AsyncDisposableStack();
  const room = closers.use(await EngineRoom.open({ env }));
  const commandLine = (args: readonly string[]) => room.commandLine("podman", args);
  const [command, ...version] = commandLine(["version", "--format={{.Client.Version}}"]);
  const origin = `podman ${(await runCommand(command, version)).trim()} in a Debian root`;
  return new ContainerEngine({ origin, kind: "podman", isOfMachine: false, commandLine }, closers.move());
}

/**
 * Whether a test file must do without a container engine, as `isMissing` for servers: told on stderr, an error under
 * `CI=true`.
 *
 * @param what "pods" when it must be one that plays pods
 * @throws ServerUnavailableError under `CI=true`
 */
export async function isEngineMissing(
  what: "containers" | "pods" = "containers",
  env = process.env,
): Promise<boolean> {
  try {
    await using engine = await startEngine(env);
    if (what === "containers" || engine.playsPods) return false;
    throw new ServerUnavailableError(`${engine.origin} cannot play pods: that takes podman`);
  } catch (error) {
    if (!(error instanceof ServerUnavailableError) || env.CI === "true") throw error;
    tellSkip(error.message);
    return true;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
