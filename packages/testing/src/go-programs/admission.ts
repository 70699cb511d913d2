import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../servers/run-command.ts";
import { tempDir } from "../temp-dir.ts";
import { findGoProgram, type GoProgramKind, isGoProgramMissing } from "./go-program.ts";

const source = new URL("admit/", import.meta.url);

async function admitKind(): Promise<GoProgramKind> {
  const hash = createHash("sha256");
  for (const file of ["main.go", "go.sum"]) hash.update(await readFile(new URL(file, source)));
  return {
    name: "the admission code of kube-apiserver",
    variable: "QBIT_SIDECARS_ADMIT",
    executable: "admit",
    versionArgs: [],
    accepts: () => false,
    module: "qbit-sidecars/admit",
    version: hash.digest("hex").slice(0, 12),
    source,
  };
}

/** Whether a test file must do without {@link admit}. */
export async function isAdmissionMissing(env = process.env): Promise<boolean> {
  return await isGoProgramMissing(await admitKind(), { env });
}

/**
 * What becomes of a new pod under MutatingAdmissionPolicies and ValidatingAdmissionPolicies, by the code of
 * kube-apiserver. Bindings and match constraints are not looked at. Compiling that code takes minutes, once.
 *
 * @throws Error with what a policy says against the pod
 */
export async function admit(policies: readonly object[], pod: object): Promise<object> {
  const program = await findGoProgram(await admitKind());
  await using dir = await tempDir();
  const files = [join(dir.path, "policies.json"), join(dir.path, "pod.json")] as const;
  await writeFile(files[0], JSON.stringify(policies));
  await writeFile(files[1], JSON.stringify(pod));
  return JSON.parse(await runCommand(program, files, { timeoutMs: 60_000 }));
}
