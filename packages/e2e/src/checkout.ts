import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const build = "npm run build\n";

type CheckoutOptions = {
  /** What a person would have exported before. */
  env: Record<string, string>;
  /** What a person would write in the place of the README's examples. */
  instead?: Record<string, string>;
};

/** A folder in which the shell commands of an app's README are pasted, as in a checkout that was built. */
export class Checkout implements AsyncDisposable {
  readonly #readme: string;
  readonly #folder: string;
  readonly #env: Record<string, string>;
  #pasted: ChildProcess | undefined;

  private constructor(readme: string, folder: string, env: Record<string, string>) {
    this.#readme = readme;
    this.#folder = folder;
    this.#env = { PATH: "/usr/bin:/bin", HOME: folder, ...env };
  }

  static async of(app: string, folder: string, { env, instead = {} }: CheckoutOptions): Promise<Checkout> {
    for (const name of ["apps", "node_modules"]) await symlink(join(root, name), join(folder, name));
    const readme = await readFile(join(root, "apps", app, "README.md"), "utf8");
    const own = Object.entries(instead).reduce((text, [from, to]) => text.replaceAll(from, to), readme);
    return new Checkout(own, folder, env);
  }

  /** Pastes the shell block that has `mark` in it. What it starts last goes on until `interrupt`. */
  paste(mark: string): void {
    const blocks = [...this.#readme.matchAll(/^ *```sh\n([^]*?)^ *```$/gmu)].map(([, block = ""]) => block);
    const block = blocks.find((each) => each.includes(mark));
    if (block === undefined) throw new Error(`the README has no shell block with ${mark}`);
    // It was built before the tests, and others run from the same bundles.
    this.#pasted = this.#sh(block.replace(build, ""));
  }

  /** Ctrl-C. */
  async interrupt(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#pasted ?? {};
    if (this.#pasted === undefined || pid === undefined || exitCode !== null || signalCode !== null) return;
    const ended = once(this.#pasted, "exit");
    process.kill(-pid, "SIGINT");
    await ended;
  }

  /** The line of a shell block that begins so. */
  line(begin: string): string {
    return `${this.#find(new RegExp(`^${begin}.*$`, "mu"))}\n`;
  }

  /** A command that the README shows within its text. */
  command(end: string): string {
    return this.#find(new RegExp(`(?<=\`)node_modules/[^\`]*${end}(?=\`)`, "u"));
  }

  async run(commands: string): Promise<{ code: number | null; output: string }> {
    const child = this.#sh(commands);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
    await once(child, "close");
    return { code: child.exitCode, output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.interrupt();
  }

  #find(pattern: RegExp): string {
    const [found] = pattern.exec(this.#readme) ?? [];
    if (found === undefined) throw new Error(`the README has nothing like ${String(pattern)}`);
    return found;
  }

  #sh(commands: string): ChildProcess {
    // A group of its own, as a terminal gives it, so that Ctrl-C reaches all of it.
    const child = spawn("sh", ["-ec", commands], {
      cwd: this.#folder,
      env: this.#env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.resume();
    child.stderr.resume();
    return child;
  }
}
