import { join } from "node:path";
import { runCommand } from "../servers/run-command.ts";
import { tempDir } from "../temp-dir.ts";
import { findGoProgram, type GoProgramKind, isGoProgramMissing } from "./go-program.ts";

const helmKind: GoProgramKind = {
  name: "Helm",
  variable: "QBIT_SIDECARS_HELM",
  executable: "helm",
  versionArgs: ["version", "--short"],
  accepts: (version) => version.startsWith("4."),
  module: "helm.sh/helm/v4/cmd/helm",
  version: "4.2.4",
};

/** Whether a test file must do without Helm: `describe.skipIf(await isHelmMissing())(…)`. See `isMissing`. */
export async function isHelmMissing(env = process.env): Promise<boolean> {
  return await isGoProgramMissing(helmKind, { env });
}

/**
 * Runs a Helm command that needs no cluster (`template`, `lint`, `package`) and returns what it printed on stdout. It
 * sees neither the person's Helm settings nor any cluster.
 *
 * @throws Error with what Helm said
 */
export async function runHelm(args: readonly string[]): Promise<string> {
  const helm = await findGoProgram(helmKind);
  await using home = await tempDir();
  const { PATH } = process.env;
  const places = {
    HELM_CACHE_HOME: join(home.path, "cache"),
    HELM_CONFIG_HOME: join(home.path, "config"),
    HELM_DATA_HOME: join(home.path, "data"),
  };
  const env = { PATH, HOME: home.path, KUBECONFIG: "/dev/null", ...places };
  try {
    return await runCommand(helm, args, { env, timeoutMs: 60_000 });
  } catch (error) {
    throw new Error(withoutRemarks(error instanceof Error ? error.message : String(error)), { cause: error });
  }
}

/** Helm tells of every symbolic link in a chart. */
function withoutRemarks(text: string): string {
  return text.replaceAll(/level=INFO .*\n/g, "");
}
