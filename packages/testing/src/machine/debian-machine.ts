import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ServerUnavailableError } from "../servers/find-program.ts";
import { tellSkip } from "../servers/server-at-hand.ts";
import { type TempDir, tempDir } from "../temp-dir.ts";
import { waitFor } from "../wait-for.ts";
import { debianImage } from "./debian-image.ts";

export type InitSystem = "systemd" | "openrc";

type Kind = { packages: readonly string[]; init: string; isUp: string };

const kinds: Record<InitSystem, Kind> = {
  systemd: {
    packages: ["systemd", "shellcheck"],
    init: "/usr/lib/systemd/systemd",
    isUp: "systemctl is-system-running | grep -E '^(running|degraded)$'",
  },
  openrc: {
    packages: ["openrc", "busybox"],
    init: "/usr/sbin/openrc-init",
    isUp: 'test "$(cat /run/openrc/softlevel)" = default && ! pgrep -x openrc',
  },
};

export type MachineOptions = {
  init: InitSystem;
  /** Files and folders of the host to be seen in the machine, by the path they have there. */
  mounts?: Readonly<Record<string, string>>;
};

/** How a command ended, and what it printed on both streams. */
export type Ended = { code: number; output: string };

/**
 * A small Debian system with a real init as its process 1, in namespaces of its own: its processes, files, network (only
 * a loopback) and cgroups are nobody else's, and all of it is gone when it is disposed of. Needs root.
 */
export class DebianMachine implements AsyncDisposable {
  readonly #kind: Kind;
  readonly #image: string;
  readonly #dir: TempDir;
  readonly #mounts: readonly string[];
  readonly #cgroup: string;
  readonly #marker = `machine-${randomUUID()}`;
  #unshare: ChildProcess | undefined;
  #initPid = 0;
  #output = "";

  private constructor(owned: { kind: Kind; image: string; dir: TempDir; mounts: string[]; cgroup: string }) {
    this.#kind = owned.kind;
    this.#image = owned.image;
    this.#dir = owned.dir;
    this.#mounts = owned.mounts;
    this.#cgroup = owned.cgroup;
  }

  static async start({ init, mounts = {} }: MachineOptions): Promise<DebianMachine> {
    if (process.getuid?.() !== 0) throw new Error("a machine can only be started by root");
    const kind = kinds[init];
    const image = await debianImage({ name: init, packages: kind.packages });
    const machine = new DebianMachine({
      kind,
      image,
      dir: await tempDir("qbit-sidecars-machine-"),
      mounts: Object.entries(mounts).map(([inside, host]) => `${host}=${inside}`),
      cgroup: join(await unifiedCgroups(), `qbit-sidecars-${randomUUID()}`),
    });
    try {
      await mkdir(machine.#cgroup);
      await machine.#boot();
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a shell command in the machine, as root unless it says otherwise. */
  async run(command: string, { input = "" }: { input?: string } = {}): Promise<Ended> {
    const namespaces = ["--mount", "--pid", "--cgroup", "--ipc", "--uts", "--net", "--root"];
    // Before it has its own root, the init is in the host's: nothing must run there.
    const guarded = `test -e /run/${this.#marker} || exit 111\n${command}`;
    const environment = [
      "-i",
      "--chdir=/",
      "PATH=/usr/local/bin:/usr/sbin:/usr/bin",
      "HOME=/root",
      "TERM=dumb",
    ];
    const child = spawn(
      "nsenter",
      ["--target", String(this.#initPid), ...namespaces, "env", ...environment, "/bin/sh", "-c", guarded],
      { stdio: ["pipe", "pipe", "pipe"] },
    );
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    child.stdin.on("error", () => {}).end(input);
    const [code, signal]: [number | null, string | null] = await closed(child);
    if (code === null) throw new Error(`running ${command}: ended by ${signal}`);
    return { code, output };
  }

  /** As `run`, and returns what it printed. @throws Error with that when the command fails */
  async must(command: string, options: { input?: string } = {}): Promise<string> {
    const { code, output } = await this.run(command, options);
    if (code !== 0) throw new Error(`${command}: ended with ${code}:\n${output}`);
    return output;
  }

  /** Pulls the plug and starts it again, with the same files. */
  async reboot(): Promise<void> {
    await this.#powerOff();
    await this.#boot();
  }

  async #boot(): Promise<void> {
    const boot = fileURLToPath(new URL("boot-machine.sh", import.meta.url));
    const namespaces = ["--mount", "--pid", "--cgroup", "--ipc", "--uts", "--net", "--fork"];
    const enter = 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"';
    // Ends with this process, and cannot reach what the kernel has only one of.
    const setpriv = [
      "setpriv",
      "--pdeathsig=KILL",
      "--bounding-set=-sys_module,-sys_time,-sys_rawio,-syslog",
    ];
    const unshare = ["unshare", ...namespaces, "--kill-child=SIGKILL"];
    const machine = [this.#image, this.#dir.path, this.#marker, ...this.#mounts, "--", this.#kind.init];
    const child = spawn(
      "/bin/sh",
      ["-c", enter, "sh", this.#cgroup, ...setpriv, ...unshare, "/bin/sh", boot, ...machine],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    }
    this.#unshare = child;
    const ended = once(child, "close");
    const up = async () => {
      this.#initPid = Number(await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8"));
      return child.exitCode !== null || (await this.run(this.#kind.isUp)).code === 0;
    };
    await waitFor(up, { what: "the machine to be up", timeoutMs: 60_000 }).catch((cause: unknown) => {
      throw new Error(`starting a machine; it printed:\n${this.#output}`, { cause });
    });
    if (child.exitCode === null) return;
    await ended;
    throw new Error(`the machine ended while starting; it printed:\n${this.#output}`);
  }

  async #powerOff(): Promise<void> {
    const child = this.#unshare;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    await waitFor(async () => !(await isPopulated(this.#cgroup)), { what: "the machine to be off" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#powerOff();
    await removeCgroup(this.#cgroup).catch(() => {});
    await this.#dir[Symbol.asyncDispose]();
  }
}

/**
 * Whether a test file must do without machines, as `isMissing` for servers: told on stderr, an error under `CI=true`.
 *
 * @throws ServerUnavailableError under `CI=true`
 */
export async function isMachineMissing(init: InitSystem, env = process.env): Promise<boolean> {
  try {
    await using machine = await DebianMachine.start({ init });
    await machine.must("true");
    return false;
  } catch (cause) {
    const why = cause instanceof Error ? `${cause.message}${reasonOf(cause.cause)}` : String(cause);
    const reason = `a machine with ${init} cannot be had (it needs root, unshare, and Debian's package tools): ${why}`;
    if (env.CI === "true") throw new ServerUnavailableError(reason, { cause });
    tellSkip(reason);
    return true;
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? `: ${cause.message}` : "";
}

function closed(child: ChildProcess): Promise<[number | null, string | null]> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve([code, signal]));
  });
}

/** Where the unified hierarchy is mounted: beside the old ones, or alone. */
async function unifiedCgroups(): Promise<string> {
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" "));
  const path = mounts.find(([, , type]) => type === "cgroup2")?.[1];
  if (path === undefined) throw new Error("this machine has no cgroups of version 2");
  return path;
}

async function isPopulated(cgroup: string): Promise<boolean> {
  return (await readFile(join(cgroup, "cgroup.events"), "utf8").catch(() => "")).includes("populated 1");
}

async function removeCgroup(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true });
  for (const entry of entries.filter((each) => each.isDirectory()))
    await removeCgroup(join(path, entry.name));
  await rmdir(path);
}
