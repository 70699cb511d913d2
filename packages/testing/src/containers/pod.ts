import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDir } from "../temp-dir.ts";
import type { EngineCommands } from "./engine-commands.ts";
import { playable } from "./playable.ts";
import { type ContainerCommand, runToEnd } from "./running-container.ts";

export type PodOptions = {
  /** "none": the pod has a loopback of its own, and ports that collide with nobody's. By default so. */
  network?: "none" | "host";
};

/** Answer to a request made inside the pod. */
export type PodAnswer = { status: number; body: string };

export type RunningPod = AsyncDisposable & {
  /** Of every container: its name in the manifest. */
  containers: readonly string[];
  exec(container: string, args: readonly string[]): Promise<ContainerCommand>;
  /** Everything a container printed so far, both streams. */
  output(container: string): Promise<string>;
  /** Makes a request from inside the pod's network. @throws Error when nothing answers */
  fetch(url: string, options?: { method?: string }): Promise<PodAnswer>;
  /** Stops all containers with SIGTERM; their exit codes by name. */
  stop(): Promise<Record<string, number>>;
  restart(container: string): Promise<void>;
};

/**
 * Plays the one workload of Kubernetes manifests as a pod, with its config maps and secrets. podman has no StatefulSets,
 * native sidecars or probes: see `playable` for what becomes of them. Images must be at hand.
 */
export async function playPod(
  engine: EngineCommands,
  { yaml, network = "none" }: { yaml: string } & PodOptions,
): Promise<RunningPod> {
  await using closers = new AsyncDisposableStack();
  const dir = closers.use(await tempDir("qbit-sidecars-pod-"));
  const manifest = playable(yaml, engine.newName());
  const file = join(dir.path, "pod.yaml");
  await writeFile(file, manifest.yaml);
  closers.defer(async () => {
    await engine.command(["pod", "rm", "--force", "--time=0", manifest.pod]).catch(() => {});
    await engine.command(["kube", "down", "--force", file]).catch(() => {});
  });
  const play = async () => await engine.command(["kube", "play", `--network=${network}`, file]);
  await play().catch(async (error: unknown) => {
    // On a loaded machine runc now and then loses the process that it starts a container with.
    if (!String(error).includes("waiting for init preliminary setup")) throw error;
    await engine.command(["pod", "rm", "--force", "--time=0", manifest.pod]);
    await play();
  });
  const full = (container: string) => `${manifest.pod}-${container}`;
  const resources = closers.move();
  return {
    containers: manifest.containers,
    exec: (container, args) => runToEnd(engine.commandLine(["exec", full(container), ...args])),
    output: async (container) => (await runToEnd(engine.commandLine(["logs", full(container)]))).output,
    async fetch(url, { method = "GET" } = {}) {
      const script = `fetch(${JSON.stringify(url)},{method:${JSON.stringify(method)}})
        .then(async (r)=>console.log(JSON.stringify({status:r.status,body:await r.text()})))`;
      const inside = ["run", "--rm", `--pod=${manifest.pod}`, await engine.baseImage(), "-e", script];
      return JSON.parse(await engine.command(inside)) as PodAnswer;
    },
    async stop() {
      await engine.command(["pod", "stop", "--time=15", manifest.pod]);
      const codes = manifest.containers.map(async (container) => {
        const format = "--format={{.State.ExitCode}}";
        return [container, Number(await engine.command(["inspect", format, full(container)]))] as const;
      });
      return Object.fromEntries(await Promise.all(codes));
    },
    async restart(container) {
      await engine.command(["restart", "--time=15", full(container)]);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
