import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { debianImage } from "../machine/debian-image.ts";
import { ServerUnavailableError } from "../servers/find-program.ts";
import { tellSkip } from "../servers/server-at-hand.ts";
import { runCommand } from "../servers/run-command.ts";
import { tempDir } from "../temp-dir.ts";

/** A Chromium for playwright-core: what to launch, and with which arguments. */
export type ChromiumProgram = AsyncDisposable & {
  readonly executablePath: string;
  readonly args: readonly string[];
};

/** It asks nothing of the network by itself: no updates, no lists, no search for other hosts. */
const quiet = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/**
 * The Chromium of `PATH` (or of `QBIT_SIDECARS_CHROMIUM`), or else that of a Debian root in the cache folder, which needs
 * root rights.
 *
 * @throws ServerUnavailableError
 */
export async function findChromium(env = process.env): Promise<ChromiumProgram> {
  const found = env.QBIT_SIDECARS_CHROMIUM || (await inPath());
  if (found) return { executablePath: found, args: quiet, [Symbol.asyncDispose]: async () => {} };
  try {
    return await chromiumOfOurs(env);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ServerUnavailableError(
      `Chromium cannot be had: set QBIT_SIDECARS_CHROMIUM to a binary of it, or put it into PATH:\n  - ${why}`,
      { cause },
    );
  }
}

/** Whether a test file must do without Chromium; told as `isMissing` tells it. */
export async function isChromiumMissing(env = process.env): Promise<boolean> {
  try {
    await using _found = await findChromium(env);
    return false;
  } catch (error) {
    if (!(error instanceof ServerUnavailableError) || env.CI === "true") throw error;
    tellSkip(error.message);
    return true;
  }
}

async function inPath(): Promise<string | undefined> {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    const path = await runCommand("sh", ["-c", `command -v ${name}`]).catch(() => "");
    if (path.trim() !== "") return path.trim();
  }
  return undefined;
}

async function chromiumOfOurs(env: NodeJS.ProcessEnv): Promise<ChromiumProgram> {
  if (process.getuid?.() !== 0) throw new Error("a Chromium in a Debian root of its own needs root");
  const image = await debianImage({ name: "chromium", packages: ["chromium", "fonts-dejavu-core"], env });
  const dir = await tempDir("qbit-sidecars-chromium-");
  const script = fileURLToPath(new URL("enter-chromium-root.sh", import.meta.url));
  const launcher = join(dir.path, "chromium");
  await mkdir(join(dir.path, "written"));
  // Every start in a folder of its own: a mount cannot be made twice over one.
  await writeFile(
    launcher,
    `#!/bin/sh
set -eu
written=$(mktemp -d '${dir.path}/written/XXXXXX')
exec unshare --mount --propagation=private /bin/sh '${script}' '${image}' "$written" "$@"
`,
  );
  await chmod(launcher, 0o755);
  return {
    executablePath: launcher,
    args: quiet,
    [Symbol.asyncDispose]: async () => await dir[Symbol.asyncDispose](),
  };
}
