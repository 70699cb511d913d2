import { chmod, chown, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { debianMirror, openAptWorkspace } from "../servers/apt.ts";
import { cachedFolder } from "../servers/cached-folder.ts";
import { cacheFolder } from "../servers/debian-root.ts";
import { runCommand } from "../servers/run-command.ts";

/** By Debian's names. */
export type Architecture = "amd64" | "arm64";

/** What distroless's static, base, cc and nodejs images are made of (GoogleContainerTools/distroless, 2026-08). */
const packages = (
  "base-files netbase tzdata media-types ca-certificates libc6 libssl3t64 libzstd1 zlib1g libgomp1 libstdc++6 " +
  "libgcc-s1 gcc-14-base libatomic1"
).split(" ");

const users = `root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
`;
const groups = "root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n";

const dockerfile = `FROM scratch
ADD base.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532
WORKDIR /home/nonroot
ENTRYPOINT ["/nodejs/bin/node"]
`;

/** To be raised with each change to how it is made. */
const made = 1;

/**
 * A build context for a stand-in for `gcr.io/distroless/nodejs<major>-debian13:nonroot`, for machines that cannot reach
 * that registry: the same Debian 13 packages, the same Node, user, folders and entrypoint. Made once, in 4 seconds and
 * 180 MB, and kept in the cache folder. Needs root, so that files belong to whom they should.
 */
export async function baseImageContext(
  architecture: Architecture,
  { env = process.env }: { env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const base = await cachedFolder<{ made: number; node: string }>({
    cache: join(cacheFolder(env), "base-images"),
    kind: `debian13-${architecture}-node`,
    isRight: (description) => description.made === made && description.node === process.version,
    make: async (files) => {
      await writeFile(join(files, "Dockerfile"), dockerfile);
      await makeTar(join(files, "base.tar"), architecture, env);
      return { version: process.versions.node, description: { made, node: process.version } };
    },
  });
  return base.files;
}

async function makeTar(tar: string, architecture: Architecture, env: NodeJS.ProcessEnv): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "qbit-sidecars-base-"));
  try {
    const root = join(work, "root");
    await mkdir(root);
    await unpack(await download(work, architecture, env), root, env);
    await settleIn(root);
    await mkdir(join(root, "nodejs/bin"), { recursive: true });
    await copyFile(await nodeBinary(work, architecture, env), join(root, "nodejs/bin/node"));
    await chmod(join(root, "nodejs/bin/node"), 0o755);
    const reproducible = ["--sort=name", "--mtime=@0", "--numeric-owner"];
    await runCommand("tar", ["-C", root, ...reproducible, "-cf", tar, "."], { env });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function download(work: string, architecture: Architecture, env: NodeJS.ProcessEnv): Promise<string[]> {
  const source = { mirror: await debianMirror(env), suite: "trixie" };
  const { options } = await openAptWorkspace(join(work, "apt"), source, env);
  const ofArchitecture = [`APT::Architecture=${architecture}`, `APT::Architectures=${architecture}`];
  const all = [...options, ...ofArchitecture.flatMap((option) => ["-o", option])];
  await runCommand("apt-get", [...all, "-qq", "update"], { env });
  const debs = join(work, "debs");
  await mkdir(debs);
  await runCommand("apt-get", [...all, "-qq", "download", ...packages], { env, cwd: debs });
  return (await readdir(debs)).map((deb) => join(debs, deb));
}

async function unpack(debs: readonly string[], root: string, env: NodeJS.ProcessEnv): Promise<void> {
  // First what makes /lib a link to /usr/lib, and the like.
  const isFirst = (deb: string) => basename(deb).startsWith("base-files_");
  for (const deb of debs.toSorted((a, b) => Number(isFirst(b)) - Number(isFirst(a)))) {
    await runCommand("dpkg-deb", ["--extract", deb, root], { env });
  }
  for (const unread of ["doc", "man", "info", "lintian"]) {
    await rm(join(root, "usr/share", unread), { recursive: true, force: true });
  }
}

async function settleIn(root: string): Promise<void> {
  const certificates = join(root, "usr/share/ca-certificates");
  const files = (await readdir(certificates, { recursive: true })).filter((file) => file.endsWith(".crt"));
  const pem = await Promise.all(files.toSorted().map((file) => readFile(join(certificates, file), "utf8")));
  await rm(certificates, { recursive: true });
  await mkdir(join(root, "etc/ssl/certs"), { recursive: true });
  await writeFile(join(root, "etc/ssl/certs/ca-certificates.crt"), pem.join(""));
  await writeFile(join(root, "etc/passwd"), users);
  await writeFile(join(root, "etc/group"), groups);
  await mkdir(join(root, "home/nonroot"), { mode: 0o700 });
  await chown(join(root, "home/nonroot"), 65_532, 65_532);
}

/** The very Node that runs this, or the same version for the other architecture as npm has it. */
async function nodeBinary(work: string, architecture: Architecture, env: NodeJS.ProcessEnv): Promise<string> {
  const npmName = { amd64: "x64", arm64: "arm64" }[architecture];
  if (npmName === process.arch) return process.execPath;
  const spec = `node-linux-${npmName}@${process.versions.node}`;
  const packed = await runCommand("npm", ["pack", "--silent", spec], { env, cwd: work });
  await runCommand("tar", ["-C", work, "-xzf", join(work, packed.trim()), "package/bin/node"], { env });
  return join(work, "package/bin/node");
}
