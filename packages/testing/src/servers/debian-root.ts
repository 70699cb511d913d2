import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { debianMirror, downloadWithDependencies, openAptWorkspace } from "./apt.ts";
import {
  type CachedFolder,
  cachedFolder,
  type ListedFile,
  listFiles,
  sha256OfFile,
} from "./cached-folder.ts";
import type { Program, ServerKind } from "./program.ts";
import { runCommand } from "./run-command.ts";

/** What a root holds: a Debian package with all it depends on, unpacked and not installed. */
type RootDescription = {
  packageVersion: string;
  /** Version of the program itself, "5.3.0". */
  version: string;
  architecture: string;
  /** SHA-256 of each package that was unpacked, as apt had checked them. */
  packages: Record<string, string>;
  /** Program, dynamic loader and library folders, relative to the root. */
  executable: string;
  loader: string;
  libraries: string[];
};

type RootOptions = { env?: NodeJS.ProcessEnv; thorough?: boolean };

/** Where roots are kept: `QBIT_SIDECARS_CACHE`, or `qbit-sidecars` in the cache folder of the person's account. */
export function cacheFolder(env = process.env): string {
  return env.QBIT_SIDECARS_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "qbit-sidecars");
}

/**
 * The program of a root for the server's package: one made before when it is whole, otherwise made now, which takes
 * some seconds and 100 MB. Needs Debian's package tools, but no root rights, and changes nothing on the machine.
 *
 * @throws Error saying what the machine lacks for making it
 */
export async function debianProgram(kind: ServerKind, options: RootOptions = {}): Promise<Program> {
  const { suite, package: name } = kind.debian;
  const root = await debianRoot(kind, options);
  return programOf(root, `Debian ${suite}, ${name} ${root.description.packageVersion}`);
}

/** The root itself, for those who run it as it is: in a container. */
export async function debianRoot(
  kind: ServerKind,
  { env = process.env, thorough = false }: RootOptions = {},
): Promise<CachedFolder<RootDescription>> {
  const { suite, package: name } = kind.debian;
  const architecture = (await runCommand("dpkg", ["--print-architecture"], { env })).trim();
  return await cachedFolder<RootDescription>({
    cache: join(cacheFolder(env), "roots"),
    kind: `${suite}-${architecture}-${name}`,
    isRight: ({ version }) => kind.accepts(version),
    thorough,
    make: async (files) => {
      const description = await fillRoot(files, kind, { architecture, env });
      return { version: description.packageVersion, description };
    },
  });
}

/** Runs the program by the root's own dynamic loader: files are the machine's, libraries the root's. */
function programOf({ files: root, description }: CachedFolder<RootDescription>, origin: string): Program {
  const { version, executable, loader, libraries } = description;
  const libraryPath = libraries.map((path) => join(root, path)).join(":");
  const qtPlugins = join(root, "usr/lib", basename(dirname(loader)), "qt6/plugins");
  return {
    origin,
    version,
    commandLine: ({ args, env }) => ({
      command: join(root, loader),
      args: ["--library-path", libraryPath, join(root, executable), ...args],
      // Qt 6 finds its TLS plugin, and an old suite's C library its UTF-8 locale, by these.
      env: { ...env, QT_PLUGIN_PATH: qtPlugins, LOCPATH: join(root, "usr/lib/locale") },
    }),
  };
}

type Machine = { architecture: string; env: NodeJS.ProcessEnv };

async function fillRoot(
  root: string,
  kind: ServerKind,
  { architecture, env }: Machine,
): Promise<RootDescription> {
  const work = await mkdtemp(join(tmpdir(), "qbit-sidecars-apt-"));
  try {
    const source = { mirror: await debianMirror(env), suite: kind.debian.suite };
    const apt = await openAptWorkspace(work, source, env);
    const debs = await downloadWithDependencies(apt, [kind.debian.package]);
    const versions = await versionsOf(kind, debs, env);
    await unpack(debs, root, env);
    const packages = Object.fromEntries(
      await Promise.all(debs.map(async (deb) => [basename(deb), await sha256OfFile(deb)])),
    );
    return { ...versions, architecture, packages, ...whereIn(await listFiles(root), kind.executable) };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function versionsOf({ debian, accepts }: ServerKind, debs: readonly string[], env: NodeJS.ProcessEnv) {
  const deb = debs.find((path) => basename(path).startsWith(`${debian.package}_`));
  if (deb === undefined) throw new Error(`apt-get did not download ${debian.package}`);
  const packageVersion = (await runCommand("dpkg-deb", ["--field", deb, "Version"], { env })).trim();
  // "5:7.0.15-1~deb12u5": epoch, the program's version, Debian's revision.
  const version = packageVersion.replace(/^\d+:/, "").replace(/-[^-]*$/, "");
  if (!accepts(version))
    throw new Error(`Debian ${debian.suite} has ${debian.package} ${packageVersion} now`);
  return { packageVersion, version };
}

async function unpack(debs: readonly string[], root: string, env: NodeJS.ProcessEnv): Promise<void> {
  for (const deb of debs) await runCommand("dpkg-deb", ["--extract", deb, root], { env });
  for (const unread of ["doc", "man", "info", "locale", "lintian"]) {
    await rm(join(root, "usr/share", unread), { recursive: true, force: true });
  }
}

function whereIn(files: readonly ListedFile[], program: string) {
  const executable = files.find(({ path }) => path === `usr/bin/${program}`)?.path;
  // By the name all architectures and suites share: lib/x86_64-linux-gnu/ld-linux-x86-64.so.2, ld-linux-aarch64.so.1.
  const loader = files.find(({ path }) =>
    /^(usr\/)?lib\/[^/]+-linux-gnu[^/]*\/ld-linux[^/]*\.so\.\d+$/.test(path),
  )?.path;
  if (executable === undefined || loader === undefined) {
    throw new Error(`the packages lack ${executable === undefined ? program : "the dynamic loader"}`);
  }
  return { executable, loader, libraries: libraryFolders(files) };
}

/** Plugins are loaded by their own paths, and some bear the names of libraries. */
function libraryFolders(files: readonly ListedFile[]): string[] {
  const folders = files
    .filter(({ path }) => /^(usr\/)?lib\/(.*\/)?lib[^/]*\.so[^/]*$/.test(path))
    .map(({ path }) => dirname(path))
    .filter((folder) => !/plugins|engines|gconv|ossl-mod/.test(folder));
  return [...new Set(folders)];
}
