import { shiftableClock, tempDir } from "@qbit-sidecars/testing";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

const unshare = "/usr/bin/unshare";
const marker = "QBIT_SIDECARS_SOAK_HAS_OWN_MOUNTS";

/**
 * Makes this process one whose mounts nobody else sees, and that end with it, however it ends: `unshare` of util-linux
 * runs the same command line again in its place. Who is not root becomes it in a user namespace, where may be mounted.
 *
 * @throws Error where there is no `unshare`, so on anything but Linux
 */
export function haveOwnMounts(): void {
  if (process.env[marker] === "1") return;
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  if (process.execve === undefined) throw new Error("this Node cannot replace its process (execve)");
  process.execve(unshare, ["unshare", ...ownMounts(), "--", ...again], {
    ...process.env,
    [marker]: "1",
    NODE_NO_WARNINGS: "1",
  });
}

/** Why a soak cannot be run on this machine; undefined where it can. */
export async function whyNoSoak(): Promise<string | undefined> {
  if (process.env[marker] === "1") return undefined;
  await using folder = await tempDir();
  const mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "qbit-sidecars-soak", folder.path];
  try {
    await run(unshare, [...ownMounts(), "--", ...mount]);
    await shiftableClock(folder.path, "nobody");
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message.trim() : String(error);
    return `file systems of its own, and libfaketime, are needed for a soak (Linux; root, or user namespaces): ${why}`;
  }
}

function ownMounts(): string[] {
  const asRoot = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  return [...asRoot, "--mount", "--propagation", "private"];
}
