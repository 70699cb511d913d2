import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCode } from "../error-code.ts";
import { type DoctorCheck, type Finding, ok, problem } from "./check.ts";

type FolderOptions = {
  readonly name: string;
  readonly path: string;
  /** Names it in what to do: STATE_DIR. */
  readonly setting: string;
  /** What becomes of it while it cannot be written. */
  readonly otherwise?: string;
};

/** A folder that this user must be able to write to, or to make. Asks the system, and writes nothing. */
export function writableFolder({ name, path, setting, otherwise }: FolderOptions): DoctorCheck {
  const why = otherwise === undefined ? "" : `, so ${otherwise}`;
  const todo = `let user ${whoami()} write there (chown, or fsGroup in Kubernetes), or set ${setting} to a folder on a volume`;
  return {
    name,
    async look() {
      const found = await nearest(path);
      if (!found.isFolder)
        return problem(`${found.path} is in the way: it is no folder`, `move it, or change ${setting}`);
      const code = await may(found.path, constants.W_OK | constants.X_OK);
      if (code !== undefined)
        return problem(`${found.path} cannot be written by user ${whoami()} (${code})${why}`, todo);
      return ok(found.path === path ? `${path} can be written` : `${path} is not there yet and can be made`);
    },
  };
}

/** A folder that this user must be able to read. */
export function readableFolder({ name, path, setting }: FolderOptions): DoctorCheck {
  return { name, look: () => lookReadable(path, setting) };
}

async function lookReadable(path: string, setting: string): Promise<Finding> {
  const found = await stat(path).catch((error: unknown) => errorCode(error) ?? String(error));
  const isMissing = found === "ENOENT" || found === "ENOTDIR";
  if (isMissing) return problem(`${path} is not there`, `mount it into this container, or change ${setting}`);
  if (typeof found === "string")
    return problem(`${path} cannot be looked at (${found})`, `let user ${whoami()} read it`);
  if (!found.isDirectory()) return problem(`${path} is no folder`, `change ${setting}`);
  const code = await may(path, constants.R_OK | constants.X_OK);
  if (code === undefined) return ok(`${path} can be read`);
  return problem(
    `${path} may not be read by user ${whoami()} (${code})`,
    `let that user read it: chmod, or a group that both have`,
  );
}

type KeptFileOptions = {
  readonly name: string;
  readonly path: string;
  /** Why its content cannot be used; undefined where it can. */
  readonly fault: (text: string) => string | undefined;
  /** What the program does about one that it cannot use. */
  readonly onFault: string;
  readonly after?: readonly string[];
};

/** A file of the program's own that is read at the start. None yet is fine. */
export function keptFile({ name, path, fault, onFault, after }: KeptFileOptions): DoctorCheck {
  return {
    name,
    after,
    async look() {
      try {
        const wrong = fault(await readFile(path, "utf8"));
        if (wrong === undefined) return ok(`${path} can be used`);
        return problem(
          `${path}: ${wrong}`,
          `start the version that wrote it, or let this one start: it ${onFault}`,
        );
      } catch (error) {
        const code = errorCode(error) ?? String(error);
        if (code === "ENOENT" || code === "ENOTDIR") return ok(`${path} is not there yet`);
        return problem(`${path} cannot be read by user ${whoami()} (${code})`, "give it to that user: chown");
      }
    },
  };
}

/** @returns why not, as the system's code, or undefined where it may */
export async function may(path: string, mode: number): Promise<string | undefined> {
  try {
    await access(path, mode);
    return undefined;
  } catch (error) {
    return errorCode(error) ?? String(error);
  }
}

/** The path, or what there is of it. */
async function nearest(path: string): Promise<{ path: string; isFolder: boolean }> {
  try {
    return { path, isFolder: (await stat(path)).isDirectory() };
  } catch {
    const above = dirname(path);
    return above === path ? { path, isFolder: true } : await nearest(above);
  }
}

/** The user that permissions are about, by number. */
export function whoami(): string {
  return String(process.getuid?.() ?? "?");
}
