import { copyFile, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianMirror, downloadWithDependencies, openAptWorkspace } from "../servers/apt.ts";
import { cachedFolder } from "../servers/cached-folder.ts";
import { cacheFolder } from "../servers/debian-root.ts";
import { runCommand } from "../servers/run-command.ts";
import { baseImageContext } from "./base-image.ts";

/** To be raised with each change to how they are made. */
const made = 1;

/**
 * The command line that runs Node of another architecture under emulation: for arm64 that of the base image, for armv7
 * Debian 14's own, since nodejs.org makes none any more. Takes 40 s and 400 MB of cache the first time.
 */
export async function emulatedNode(
  architecture: "arm64" | "armv7",
  env: NodeJS.ProcessEnv = process.env,
): Promise<readonly [string, ...string[]]> {
  const qemu = join(await folder("qemu", (files) => makeQemu(files, env), env), "qemu");
  if (architecture === "arm64") {
    const root = await folder("arm64-base", (files) => unpackBase(files, env), env);
    return [`${qemu}-aarch64`, "-L", root, join(root, "nodejs/bin/node")];
  }
  const root = await folder("armv7-node", (files) => unpackArmv7(files, env), env);
  return [`${qemu}-arm`, "-L", root, join(root, "usr/bin/node")];
}

async function folder(
  name: string,
  make: (files: string) => Promise<void>,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const { files } = await cachedFolder<{ made: number; node: string }>({
    cache: join(cacheFolder(env), "emulation"),
    kind: name,
    isRight: (description) => description.made === made && description.node === process.version,
    make: async (folderToFill) => {
      await make(folderToFill);
      return { version: "1", description: { made, node: process.version } };
    },
  });
  return files;
}

async function makeQemu(files: string, env: NodeJS.ProcessEnv): Promise<void> {
  await withTemporary(async (work) => {
    const apt = await openAptWorkspace(work, { mirror: await debianMirror(env), suite: "trixie" }, env);
    const debs = await downloadWithDependencies(apt, ["qemu-user"]);
    const qemu = debs.find((deb) => deb.includes("/qemu-user_"));
    await runCommand("dpkg-deb", ["--extract", qemu ?? "", join(work, "qemu")], { env });
    // Linked statically: the rest of the package is the emulators of twenty other processors.
    for (const name of ["qemu-arm", "qemu-aarch64"])
      await copyFile(join(work, "qemu/usr/bin", name), join(files, name));
  });
}

async function unpackBase(files: string, env: NodeJS.ProcessEnv): Promise<void> {
  const context = await baseImageContext("arm64", { env });
  await runCommand("tar", ["-C", files, "-xf", join(context, "base.tar")], { env });
}

async function unpackArmv7(files: string, env: NodeJS.ProcessEnv): Promise<void> {
  await withTemporary(async (work) => {
    const source = { mirror: await debianMirror(env), suite: "forky" };
    const { options, ...apt } = await openAptWorkspace(work, source, env);
    const armhf = ["-o", "APT::Architecture=armhf", "-o", "APT::Architectures=armhf"];
    const debs = await downloadWithDependencies({ ...apt, options: [...options, ...armhf] }, ["nodejs"]);
    for (const deb of debs) await runCommand("dpkg-deb", ["--extract", deb, files], { env });
    await symlink("usr/lib", join(files, "lib"));
  });
}

async function withTemporary(work: (folder: string) => Promise<void>): Promise<void> {
  const temporary = await mkdtemp(join(tmpdir(), "qbit-sidecars-emulation-"));
  try {
    await work(temporary);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
