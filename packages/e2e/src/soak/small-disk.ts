import { execFile } from "node:child_process";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A file system of its own of some megabytes, mounted on a folder; what was in the folder is hidden by it. */
export class SmallDisk implements AsyncDisposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Needs to be root, or in a user namespace as if; see `own-mounts.ts`. */
  static async mount(path: string, megabytes: number): Promise<SmallDisk> {
    await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "qbit-sidecars-soak", path]);
    return new SmallDisk(path);
  }

  /** Writes until there is no byte left. */
  async fill(): Promise<void> {
    await using file = await open(this.#ballast, "w");
    for (const bytes of [1024 * 1024, 4096]) {
      const block = Buffer.alloc(bytes, 0x5a);
      while (await fits(file.write(block))) {
        // Until it does not.
      }
    }
  }

  async empty(): Promise<void> {
    await rm(this.#ballast, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Lazily: a process that was just killed may still be counted as using it.
    await run("umount", ["--lazy", this.#path]);
  }

  get #ballast(): string {
    return join(this.#path, "ballast-of-the-soak");
  }
}

async function fits(writing: Promise<{ bytesWritten: number }>): Promise<boolean> {
  try {
    return (await writing).bytesWritten > 0;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") return false;
    throw error;
  }
}
