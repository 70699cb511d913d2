import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { debianImage } from "../machine/debian-image.ts";
import { cacheFolder } from "../servers/debian-root.ts";
import { runCommand } from "../servers/run-command.ts";
import { type TempDir, tempDir } from "../temp-dir.ts";
import { waitFor } from "../wait-for.ts";

const packages = ["podman", "runc", "conmon", "catatonit", "ca-certificates", "docker-buildx"];
const forCompose = ["docker-compose", "netavark", "aardvark-dns", "nftables"];

export type RoomOptions = {
  /** "own": nothing but what runs in here, with bridges and names between containers, and Docker Compose. */
  network?: "machine" | "own";
  env?: NodeJS.ProcessEnv;
};

const repository = fileURLToPath(new URL("../../../..", import.meta.url)).replace(/\/$/u, "");

/**
 * A Debian system with podman in it, in mount and process namespaces of its own: nothing is installed on the machine,
 * and all that runs in it ends with this process. It shares the machine's network unless told otherwise, and sees the
 * repository, the cache and temporary files under their own paths. Needs root. All it
 * leaves behind are empty control groups named libpod_parent, until the machine starts anew.
 */
export class EngineRoom implements AsyncDisposable {
  readonly #dir: TempDir;
  #unshare: ChildProcess | undefined;
  #pid = 0;
  readonly #hasOwnNetwork: boolean;

  private constructor(dir: TempDir, hasOwnNetwork: boolean) {
    this.#dir = dir;
    this.#hasOwnNetwork = hasOwnNetwork;
  }

  /** @throws Error saying what the machine lacks */
  static async open({ network = "machine", env = process.env }: RoomOptions = {}): Promise<EngineRoom> {
    if (process.getuid?.() !== 0) throw new Error("an engine in a Debian root of its own needs root");
    const isOwn = network === "own";
    const system = isOwn
      ? { name: "compose", packages: [...packages, ...forCompose] }
      : { name: "containers", packages };
    const image = await debianImage({ ...system, env });
    const room = new EngineRoom(await tempDir("qbit-sidecars-engine-"), isOwn);
    try {
      await room.#enter(image, [tmpdir(), cacheFolder(env), repository]);
      return room;
    } catch (error) {
      await room[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #enter(image: string, seen: readonly string[]): Promise<void> {
    const script = fileURLToPath(new URL("enter-engine-room.sh", import.meta.url));
    const isolation = ["--mount", "--pid", "--propagation=private", "--fork", "--kill-child=SIGKILL"];
    const namespaces = this.#hasOwnNetwork ? ["--net", ...isolation] : isolation;
    const enter = ["/bin/sh", script, image, this.#dir.path, ...seen];
    const child = spawn("setpriv", ["--pdeathsig=KILL", "unshare", ...namespaces, ...enter], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#unshare = child;
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (printed += text));
    }
    const failed = once(child, "error").then(([cause]: unknown[]) => {
      throw new Error("entering a Debian root", { cause });
    });
    const isSettled = () => printed.includes("ready") || child.exitCode !== null;
    await Promise.race([waitFor(isSettled, { what: "the engine's root", timeoutMs: 30_000 }), failed]);
    if (child.exitCode !== null) throw new Error(`entering a Debian root: ${printed.trim()}`);
    this.#pid = Number(await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8"));
  }

  /** The command line that runs a program in here. */
  commandLine(command: string, args: readonly string[]): [string, ...string[]] {
    const network = this.#hasOwnNetwork ? ["--net"] : [];
    const inside = ["--target", String(this.#pid), "--mount", "--pid", "--root", ...network];
    const path = "PATH=/usr/sbin:/usr/bin:/usr/libexec/docker/cli-plugins";
    const env = [
      "env",
      "-i",
      `--chdir=${repository}`,
      path,
      "HOME=/root",
      "PODMAN_IGNORE_CGROUPSV1_WARNING=1",
    ];
    return ["nsenter", ...inside, ...env, command, ...args];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#unshare;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const removeAll = this.commandLine("podman", ["rm", "--all", "--force", "--time=0"]);
      if (this.#pid !== 0) await runCommand(removeAll[0], removeAll.slice(1)).catch(() => {});
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
    await this.#dir[Symbol.asyncDispose]();
  }
}
