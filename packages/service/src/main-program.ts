import { healthcheck } from "./healthcheck.ts";
import type { ProcessLike } from "./process-like.ts";

/** The oldest Node on which the apps are tested. */
const oldestNode = 24;

type MainProcess = ProcessLike & { readonly versions: { readonly node: string } };

type Main = {
  /** The app's, as in "port-sync". */
  name: string;
  /** Where the app answers probes unless told otherwise. */
  healthAddr: string;
  /** Further variables for that address, after HEALTH_ADDR. */
  addrEnv?: readonly string[];
  /** Loads the rest of the app, which is not worth loading for a health check. */
  load: () => Promise<{ program: (process: ProcessLike) => Promise<void> }>;
};

/**
 * What every app's main.ts runs: refuses a Node that is too old in one sentence, answers `healthcheck` before
 * anything else is loaded (a probe every few seconds should not cost a whole program), and runs the app otherwise.
 * With further words, a file or an odd address, `healthcheck` is the app's own command, which reads them.
 */
export async function mainProgram(process: MainProcess, { load, ...app }: Main): Promise<void> {
  const { argv, env, stderr, versions } = process;
  if (Number.parseInt(versions.node, 10) < oldestNode) {
    stderr.write(`${app.name} needs Node ${oldestNode} or later; this is ${versions.node}\n`);
    process.exitCode = 2;
    return;
  }
  const { healthAddr: defaultAddr, addrEnv = [] } = app;
  if (argv[2] === "healthcheck" && argv.length === 3 && addressIsPlain(env, ["HEALTH_ADDR", ...addrEnv])) {
    const report = (reason: string): unknown => stderr.write(`${app.name} is not healthy: ${reason}\n`);
    process.exitCode = await healthcheck({ argv: [], env, defaultAddr, addrEnv, report });
    return;
  }
  const { program } = await load();
  await program(process);
}

/** Whether the address of the service can be told without the rules that its settings are read by. */
function addressIsPlain(env: MainProcess["env"], names: readonly string[]): boolean {
  const files = ["CONFIG_FILE", "CONFIG_FILE_FILE", ...names.map((name) => `${name}_FILE`)];
  if (files.some((name) => env[name])) return false;
  return names.every((name) => env[name] === undefined || /^[^\s/]+$/.test(env[name]));
}
