import { errorCode, makeFolder, writeFileAtomic } from "@qbit-sidecars/service";
import { readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Where the port is told to programs that know gluetun's port file. */
export class PortFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Writes the port as gluetun does: decimal, without a line break, readable by all; empty when there is none. The same
   * content is written again only when `anew`: a reader takes that as the port being forwarded again.
   *
   * @returns whether it was written
   */
  async write(port: number | undefined, { anew = false }: { anew?: boolean } = {}): Promise<boolean> {
    const content = port === undefined ? "" : String(port);
    try {
      const present = await readIfThere(this.path);
      if (present === content && !anew) return false;
      // Nothing to take back.
      if (present === undefined && content === "") return false;
      await makeFolder(dirname(this.path));
      await replace(this.path, content);
      return true;
    } catch (cause) {
      throw new Error(`writing the port file ${this.path}`, { cause });
    }
  }
}

async function replace(path: string, content: string): Promise<void> {
  try {
    await writeFileAtomic(path, content, { mode: 0o644 });
  } catch {
    // A file mounted by itself cannot be replaced, and a folder may be closed while the file in it is not.
    await writeFile(path, content, { mode: 0o644 });
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
