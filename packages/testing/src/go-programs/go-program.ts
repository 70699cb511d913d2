import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cachedFolder } from "../servers/cached-folder.ts";
import { cacheFolder } from "../servers/debian-root.ts";
import { ServerUnavailableError } from "../servers/find-program.ts";
import { inPath } from "../servers/in-path.ts";
import { runCommand } from "../servers/run-command.ts";
import { tellSkip } from "../servers/server-at-hand.ts";

/** A command-line program that tests run, and every way to get it. */
export type GoProgramKind = {
  /** "Helm" */
  name: string;
  /** The environment variable that names a binary of it. */
  variable: string;
  executable: string;
  /** Makes it print its version. */
  versionArgs: readonly string[];
  /** Whether a version found in `PATH` serves. */
  accepts: (version: string) => boolean;
  /** What `go install` makes it from. */
  module: string;
  /** The folder with its sources, where they are ours. */
  source?: URL;
  version: string;
};

type Options = { env?: NodeJS.ProcessEnv };

/**
 * The path of the program: a binary named by its variable, one in PATH of a version that will do, or one that `go
 * install` makes in the cache folder, once, whoever asks.
 *
 * @throws ServerUnavailableError
 */
export async function findGoProgram(
  kind: GoProgramKind,
  { env = process.env }: Options = {},
): Promise<string> {
  const named = env[kind.variable];
  if (named) return named;
  const found = await inPath(kind.executable, env);
  if (found !== undefined && kind.accepts(await versionOf(found, kind, env))) return found;
  try {
    return await installedByGo(kind, env);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const cure = `set ${kind.variable} to a binary of it, or put it or Go into PATH`;
    throw new ServerUnavailableError(`${kind.name} cannot be had: ${cure}:\n  - ${why}`, { cause });
  }
}

/**
 * Whether a test file must do without the program; what is missing is told on stderr, and under `CI=true` it is an
 * error instead.
 *
 * @throws ServerUnavailableError under `CI=true`
 */
export async function isGoProgramMissing(
  kind: GoProgramKind,
  { env = process.env }: Options = {},
): Promise<boolean> {
  try {
    await findGoProgram(kind, { env });
    return false;
  } catch (error) {
    if (!(error instanceof ServerUnavailableError) || env.CI === "true") throw error;
    tellSkip(error.message);
    return true;
  }
}

async function installedByGo(kind: GoProgramKind, env: NodeJS.ProcessEnv): Promise<string> {
  const { executable, version } = kind;
  const platform = `${process.platform}-${process.arch}`;
  const { files } = await cachedFolder<{ version: string }>({
    cache: join(cacheFolder(env), "go-programs"),
    kind: `${executable}-${platform}`,
    isRight: (description) => description.version === version,
    make: async (folder) => {
      await goInstall(kind, folder, env);
      return { version, description: { version } };
    },
  });
  return join(files, executable);
}

/** What Go downloads and compiles for one program is over 1 GB (Helm), and is not wanted again. */
async function goInstall({ module, version, source }: GoProgramKind, bin: string, env: NodeJS.ProcessEnv) {
  const go = (await inPath("go", env)) ?? "/usr/local/go/bin/go";
  const work = await mkdtemp(`${bin}.go-`);
  const goEnv = { GOBIN: bin, GOPATH: join(work, "path"), GOCACHE: join(work, "cache"), GOFLAGS: "" };
  const what = source === undefined ? `${module}@v${version}` : ".";
  try {
    // Tests of others run at the same time: theirs is the processor.
    await runCommand("nice", ["-n", "19", go, "install", "-modcacherw", "-trimpath", what], {
      env: { ...env, ...goEnv },
      timeoutMs: 15 * 60_000,
      ...(source && { cwd: fileURLToPath(source) }),
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function versionOf(
  path: string,
  { versionArgs }: GoProgramKind,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const printed = await runCommand(path, versionArgs, { env, timeoutMs: 10_000 }).catch(() => "");
  return /\d+\.\d+\.\d+/.exec(printed)?.[0] ?? "";
}
