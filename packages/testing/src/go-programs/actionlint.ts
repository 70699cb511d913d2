import { runCommand } from "../servers/run-command.ts";
import { findGoProgram, type GoProgramKind, isGoProgramMissing } from "./go-program.ts";

const actionlintKind: GoProgramKind = {
  name: "actionlint",
  variable: "QBIT_SIDECARS_ACTIONLINT",
  executable: "actionlint",
  versionArgs: ["-version"],
  accepts: (version) => version.startsWith("1.7."),
  module: "github.com/rhysd/actionlint/cmd/actionlint",
  version: "1.7.12",
};

/** Whether a test file must do without actionlint; see `isMissing`. */
export async function isActionlintMissing(env = process.env): Promise<boolean> {
  return await isGoProgramMissing(actionlintKind, { env });
}

/** What is wrong with the GitHub workflows of a repository, one finding a line. */
export async function lintWorkflows(repository: string): Promise<string> {
  // It ends with 1 when it has found something, and with 2 or 3 when it could not look.
  const lint = '"$0" -no-color -oneline || test $? = 1';
  return await runCommand("sh", ["-c", lint, await findGoProgram(actionlintKind)], { cwd: repository });
}
