import { access, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "./run-command.ts";

/** A package manager's state of its own: it knows no installed package and no source but one suite of one mirror. */
export type AptWorkspace = { dir: string; options: readonly string[]; env: NodeJS.ProcessEnv };

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * The mirror this machine's own package manager uses, or `QBIT_SIDECARS_DEBIAN_MIRROR`.
 *
 * @throws Error saying what to set when the machine has none
 */
export async function debianMirror(env: NodeJS.ProcessEnv): Promise<string> {
  if (env.QBIT_SIDECARS_DEBIAN_MIRROR) return env.QBIT_SIDECARS_DEBIAN_MIRROR;
  const uris = await runCommand(
    "apt-get",
    ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
    { env },
  );
  const mirror = uris.split("\n").find((uri) => /\/debian\/?$/.test(uri));
  if (mirror) return mirror;
  throw new Error(
    "no Debian mirror among this machine's apt sources: set QBIT_SIDECARS_DEBIAN_MIRROR to one's address",
  );
}

export async function openAptWorkspace(
  dir: string,
  { mirror, suite }: { mirror: string; suite: string },
  env: NodeJS.ProcessEnv,
): Promise<AptWorkspace> {
  await access(keyring).catch((cause: unknown) => {
    throw new Error(`${keyring} is missing: install debian-archive-keyring`, { cause });
  });
  for (const folder of ["lists/partial", "cache/archives/partial"])
    await mkdir(join(dir, folder), { recursive: true });
  await writeFile(join(dir, "sources.list"), `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  await writeFile(join(dir, "status"), "");
  const settings = {
    "Dir::Etc::SourceList": join(dir, "sources.list"),
    "Dir::Etc::SourceParts": "/dev/null",
    "Dir::State::Lists": join(dir, "lists"),
    "Dir::State::Status": join(dir, "status"),
    "Dir::Cache": join(dir, "cache"),
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
    // Otherwise a mirror that does not answer is a warning, and the package "unknown" later on.
    "APT::Update::Error-Mode": "any",
    "Acquire::Retries": "2",
    "Acquire::http::Timeout": "20",
    // The last lists of a suite that gets no more updates have expired.
    "Acquire::Check-Valid-Until": "false",
  };
  return { dir, env, options: Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]) };
}

/** Downloads and checks packages and everything they depend on; the paths of the files. */
export async function downloadWithDependencies(
  { dir, options, env }: AptWorkspace,
  names: readonly string[],
): Promise<string[]> {
  await runCommand("apt-get", [...options, "-qq", "update"], { env });
  const install = ["-qq", "--yes", "--no-install-recommends", "--download-only", "install", ...names];
  await runCommand("apt-get", [...options, ...install], { env });
  const archives = join(dir, "cache/archives");
  return (await readdir(archives))
    .filter((file) => file.endsWith(".deb"))
    .map((file) => join(archives, file));
}
