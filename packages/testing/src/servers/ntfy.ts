import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { tempDir } from "../temp-dir.ts";
import { findProgram } from "./find-program.ts";
import { ntfyKind, type NtfyVersion } from "./kinds.ts";
import type { Program } from "./program.ts";
import { runCommand } from "./run-command.ts";
import { type ServerOptions, ServerProcess } from "./server-process.ts";

export type NtfyUser = {
  username: string;
  password: string;
  /** Default "admin": may read and write every topic. */
  role?: "admin" | "user";
  /** Topics, or patterns with "*", and what a user that is no admin may do with them. */
  access?: Readonly<Record<string, "read-write" | "read-only" | "write-only" | "deny">>;
};

export type NtfyOptions = {
  /** Default "2.27.0", or what comes after it. */
  version?: NtfyVersion;
  /** With users, whoever is none of them may do nothing; default none, and everybody may do everything. */
  users?: readonly NtfyUser[];
  /** Further lines of server.yml, such as `{ "visitor-request-limit-burst": 5, "message-size-limit": "4k" }`. */
  config?: Readonly<Record<string, string | number | boolean>>;
  port?: number;
};

const authFile = "users.db";

type Identity = { url: string; port: number };

/** A real ntfy server on the loopback address; it forwards nothing to anywhere. */
export class RunningNtfy extends ServerProcess implements Identity {
  /** Address without a slash at the end: a topic is `${url}/topic`. */
  readonly url: string;
  readonly port: number;

  constructor({ url, port }: Identity, options: ServerOptions) {
    super(options);
    this.url = url;
    this.port = port;
  }
}

/**
 * Starts an ntfy server with a folder of its own, in which messages outlive a restart, and waits until it answers.
 *
 * @throws ServerUnavailableError when this machine cannot get one; Error with the server's output when it fails
 */
export async function startNtfy(options: NtfyOptions = {}): Promise<RunningNtfy> {
  const program = await findProgram(ntfyKind(options.version));
  const dir = await tempDir("ntfy-");
  try {
    const { port = await freePort(), users = [] } = options;
    const url = `http://127.0.0.1:${port}`;
    const conf = join(dir.path, "server.yml");
    await writeFile(conf, serverYml(dir.path, { url, port }, options));
    const owner = { program, dir: dir.path, conf };
    // Without this file ntfy's own commands refuse to add users before the server has run.
    await writeFile(join(dir.path, authFile), "");
    for (const user of users) await addUser(owner, user);
    const server = new RunningNtfy(
      { url, port },
      {
        name: `ntfy (${program.origin})`,
        commandLine: program.commandLine({ args: ["serve", "--config", conf], dir: dir.path, env: {} }),
        cwd: dir.path,
        isReady: async () => (await fetch(`${url}/v1/health`, { signal: AbortSignal.timeout(1_000) })).ok,
        cleanUp: async () => await dir[Symbol.asyncDispose](),
      },
    );
    await server.start();
    return server;
  } catch (error) {
    await dir[Symbol.asyncDispose]();
    throw error;
  }
}

function serverYml(dir: string, { url, port }: Identity, { users = [], config = {} }: NtfyOptions): string {
  const auth = { "auth-file": join(dir, authFile), "auth-default-access": "deny-all" };
  const settings = {
    "base-url": url,
    "listen-http": `127.0.0.1:${port}`,
    "cache-file": join(dir, "messages.db"),
    "attachment-cache-dir": join(dir, "attachments"),
    ...(users.length > 0 && auth),
    ...config,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join("");
}

type Owner = { program: Program; dir: string; conf: string };

async function addUser(
  owner: Owner,
  { username, password, role = "admin", access = {} }: NtfyUser,
): Promise<void> {
  const admin = role === "admin" ? ["--role=admin"] : [];
  await runNtfy(owner, ["user", "--config", owner.conf, "add", ...admin, username], {
    NTFY_PASSWORD: password,
  });
  for (const [topic, permission] of Object.entries(access)) {
    await runNtfy(owner, ["access", "--config", owner.conf, username, topic, permission]);
  }
}

async function runNtfy(
  { program, dir }: Owner,
  args: string[],
  env: Record<string, string> = {},
): Promise<void> {
  const run = program.commandLine({ args, dir, env });
  await runCommand(run.command, run.args, { env: run.env, cwd: dir });
}
