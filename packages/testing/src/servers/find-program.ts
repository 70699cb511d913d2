import { access, constants } from "node:fs/promises";
import { tempDir } from "../temp-dir.ts";
import { containerProgram } from "./container.ts";
import { debianProgram } from "./debian-root.ts";
import { inPath } from "./in-path.ts";
import type { Program, ServerKind } from "./program.ts";
import { runCommand } from "./run-command.ts";

/** No way to get a server works on this machine; the message tells each and what to do. */
export class ServerUnavailableError extends Error {
  override readonly name = "ServerUnavailableError";
}

type Attempt = { program: Program } | { reason: string };

/**
 * The program of a server: a binary named by the server's variable, one in PATH of the right version, a Debian root
 * in the cache folder, or a container image, the first that works.
 *
 * @throws ServerUnavailableError
 */
export async function findProgram(
  kind: ServerKind,
  { env = process.env, thorough = false }: { env?: NodeJS.ProcessEnv; thorough?: boolean } = {},
): Promise<Program> {
  const named = env[kind.variable];
  if (named) return await namedProgram(kind, named);
  const ways = [
    () => programInPath(kind, env),
    () => debianRoot(kind, { env, thorough }),
    () => programInContainer(kind, env),
  ];
  const reasons: string[] = [];
  for (const way of ways) {
    const attempt = await way();
    if ("program" in attempt) return attempt.program;
    reasons.push(attempt.reason);
  }
  const cure = `set ${kind.variable} to a binary of it, or mend one of the other ways`;
  throw new ServerUnavailableError(`${kind.name} cannot be had: ${cure}:\n  - ${reasons.join("\n  - ")}`);
}

async function namedProgram(kind: ServerKind, path: string): Promise<Program> {
  await access(path, constants.X_OK).catch((cause: unknown) => {
    throw new ServerUnavailableError(`${kind.name} cannot be had: ${kind.variable} names no program`, {
      cause,
    });
  });
  return hostProgram(path, { origin: kind.variable, version: kind.version });
}

async function programInPath(kind: ServerKind, env: NodeJS.ProcessEnv): Promise<Attempt> {
  const path = await inPath(kind.executable, env);
  if (!path) return { reason: `PATH has no ${kind.executable}` };
  const version = await versionOf(path);
  if (version && kind.accepts(version)) return { program: hostProgram(path, { origin: "PATH", version }) };
  return { reason: `${path} is version ${version ?? "unknown"}, not ${kind.version}` };
}

/** "qBittorrent v4.5.2", "Redis server v=7.0.15 sha=…" and "ntfy 2.27.0 (…)" are all answers to --version. */
async function versionOf(path: string): Promise<string | undefined> {
  await using home = await tempDir();
  const printed = await runCommand(path, ["--version"], {
    env: { HOME: home.path, XDG_CONFIG_HOME: home.path },
    timeoutMs: 10_000,
  }).catch(() => "");
  return /\d+\.\d+\.\d+/.exec(printed)?.[0];
}

function hostProgram(path: string, { origin, version }: { origin: string; version: string }): Program {
  return { origin, version, commandLine: ({ args, env }) => ({ command: path, args, env }) };
}

async function debianRoot(
  kind: ServerKind,
  options: { env: NodeJS.ProcessEnv; thorough: boolean },
): Promise<Attempt> {
  try {
    return { program: await debianProgram(kind, options) };
  } catch (error) {
    return { reason: `making a Debian root: ${messageOf(error)}` };
  }
}

async function programInContainer(kind: ServerKind, env: NodeJS.ProcessEnv): Promise<Attempt> {
  const { image, executable, version } = kind;
  if (image === undefined) return { reason: "there is no container image of it" };
  try {
    return { program: await containerProgram({ image, executable, version }, env) };
  } catch (error) {
    return { reason: `running a container: ${messageOf(error)}` };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
