import { access, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { debianRoot } from "./debian-root.ts";
import { ServerUnavailableError } from "./find-program.ts";
import type { ServerKind } from "./program.ts";

/** https://github.com/wolfcw/libfaketime; an old suite's, whose library asks for no newer C library than the machine's. */
const faketimeKind: ServerKind = {
  name: "libfaketime",
  variable: "QBIT_SIDECARS_LIBFAKETIME",
  executable: "faketime",
  version: "0.9.10",
  accepts: (version) => version.startsWith("0."),
  debian: { suite: "bookworm", package: "faketime" },
};

/** The wall clock of a process, seen through libfaketime; its monotonic clock is left alone, as a step of NTP leaves it. */
export class ShiftableClock {
  /** What the process is to be started with. */
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;

  constructor(library: string, file: string) {
    this.#file = file;
    this.env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      // Seconds after which it looks at the file again: a system call for each look at the clock would be slow.
      FAKETIME_CACHE_DURATION: "1",
    };
  }

  /** How far the process's clock is ahead of the real one; seen within a second. */
  async shift(ms: number): Promise<void> {
    const seconds = Math.round(ms / 1000);
    await writeFile(this.#file, `${seconds < 0 ? "" : "+"}${seconds}\n`);
  }
}

/**
 * A clock kept in a file of the folder. Works for dynamically linked programs that use this machine's glibc: Node does.
 *
 * @throws ServerUnavailableError when this machine cannot get libfaketime
 */
export async function shiftableClock(folder: string, name: string): Promise<ShiftableClock> {
  const clock = new ShiftableClock(await findLibrary(), join(folder, `clock-of-${name}`));
  await clock.shift(0);
  return clock;
}

async function findLibrary(env = process.env): Promise<string> {
  const named = env[faketimeKind.variable];
  try {
    if (named) return await access(named).then(() => named);
    const { files } = await debianRoot(faketimeKind, { env });
    for (const machine of await readdir(join(files, "usr/lib"))) {
      const library = join(files, "usr/lib", machine, "faketime/libfaketimeMT.so.1");
      if (await isThere(library)) return library;
    }
    throw new Error("the package holds no libfaketimeMT.so.1");
  } catch (cause) {
    const cure = `set ${faketimeKind.variable} to its libfaketimeMT.so.1`;
    throw new ServerUnavailableError(`libfaketime cannot be had: ${cure}`, { cause });
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
