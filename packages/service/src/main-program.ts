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
 * With further words or a config file, `healthcheck` is the app's own command, which reads them.
 */
export async function mainProgram(process: MainProcess, { load, ...app }: Main): Promise<void> {
  const { argv, env, stderr, versions } = process;
  if (Number.parseInt(versions.node, 10) < oldestNode) {
    stderr.write(`${app.name} needs Node ${oldestNode} or later; this is ${versions.node}\n`);
    process.exitCode = 2;
    return;
  }
  if (argv[2] === "healthcheck" && argv.length === 3 && !env["CONFIG_FILE"] && !env["CONFIG_FILE_FILE"]) {
    const report = (reason: string): unknown => stderr.write(`${app.name} is not healthy: ${reason}\n`);
    const { healthAddr: defaultAddr, addrEnv = [] } = app;
    process.exitCode = await healthcheck({ argv: [], env, defaultAddr, addrEnv, report });
    return;
  }
  const { program } = await load();
  await program(process);
}
