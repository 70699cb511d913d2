import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, mkdir, readdir, readFile, readlink, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { type AptWorkspace, debianMirror, downloadWithDependencies, openAptWorkspace } from "./apt.ts";
import { withFileLock } from "./file-lock.ts";
import type { Program } from "./program.ts";
import { runCommand } from "./run-command.ts";

/** A Debian package with all it depends on, unpacked into a folder of its own; nothing is installed on the machine. */
export type DebianRoot = { dir: string; manifest: Manifest };

type Manifest = {
  format: 1;
  suite: string;
  package: string;
  packageVersion: string;
  /** Version of the program itself, "5.3.0". */
  version: string;
  architecture: string;
  /** SHA-256 of every package that was unpacked. */
  debs: Record<string, string>;
  /** Program, dynamic loader and library folders, relative to the root. */
  executable: string;
  loader: string;
  libraries: string[];
  /** SHA-256 over the list of all files with their sizes: finds what is missing or cut short. */
  listing: string;
  /** SHA-256 over all files' contents: finds what was changed. */
  contents: string;
};

export type DebianRequest = {
  suite: string;
  package: string;
  executable: string;
  accepts: (version: string) => boolean;
  /** Also compares the contents of all files with what was unpacked (0.2 s instead of 0.02 s). */
  thorough?: boolean;
};

export function cacheFolder(env = process.env): string {
  const base = env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return env.QBIT_SIDECARS_CACHE || join(base, "qbit-sidecars");
}

/**
 * The root of a package: one made before when it is whole, otherwise made now, once even when several processes ask.
 *
 * @throws Error saying what the machine lacks for making it
 */
export async function debianRoot(request: DebianRequest, cache = cacheFolder()): Promise<DebianRoot> {
  const dir = join(cache, "roots");
  const made = await findRoot(request, dir);
  if (made) return made;
  await mkdir(dir, { recursive: true });
  return await withFileLock(join(dir, `${request.suite}-${request.package}.lock`), async () => {
    return (await findRoot(request, dir)) ?? (await makeRoot(request, dir));
  });
}

/** Runs the program by the root's own dynamic loader: paths stay the machine's, libraries are the root's. */
export function programOfRoot({ dir, manifest }: DebianRoot): Program {
  const root = join(dir, "root");
  const libraries = manifest.libraries.map((path) => join(root, path)).join(":");
  const triplet = join(root, "usr/lib", basename(join(manifest.loader, "..")));
  return {
    origin: `Debian ${manifest.suite}, ${manifest.package} ${manifest.packageVersion}`,
    version: manifest.version,
    commandLine: ({ args, env }) => ({
      command: join(root, manifest.loader),
      args: ["--library-path", libraries, join(root, manifest.executable), ...args],
      // Qt 6 finds its TLS plugin, and the C library of an old suite its UTF-8 locale, by these.
      env: {
        ...env,
        QT_PLUGIN_PATH: `${join(triplet, "qt6/plugins")}:${join(triplet, "qt5/plugins")}`,
        LOCPATH: join(root, "usr/lib/locale"),
      },
    }),
  };
}

/** Roots are named `<suite>-<package>-<package version>-<architecture>`: a new version gets a new folder. */
async function findRoot(request: DebianRequest, dir: string): Promise<DebianRoot | undefined> {
  const made = await readdir(dir).catch(() => []);
  for (const name of made.filter((entry) => entry.startsWith(`${request.suite}-${request.package}-`))) {
    const root = await readRoot(join(dir, name));
    if (root && request.accepts(root.manifest.version) && (await isWhole(root, request.thorough)))
      return root;
  }
  return undefined;
}

async function readRoot(dir: string): Promise<DebianRoot | undefined> {
  try {
    const manifest: Manifest = JSON.parse(await readFile(join(dir, "manifest.json"), "utf8"));
    const isUsable = manifest.format === 1 && manifest.architecture === (await architecture());
    return isUsable ? { dir, manifest } : undefined;
  } catch {
    return undefined;
  }
}

async function isWhole({ dir, manifest }: DebianRoot, thorough = false): Promise<boolean> {
  try {
    const files = await listFiles(join(dir, "root"));
    if (listingDigest(files) !== manifest.listing) return false;
    return !thorough || (await contentsDigest(join(dir, "root"), files)) === manifest.contents;
  } catch {
    return false;
  }
}

async function makeRoot(request: DebianRequest, dir: string): Promise<DebianRoot> {
  const work = join(dir, `.making-${process.pid}-${request.suite}-${request.package}`);
  await rm(work, { recursive: true, force: true });
  try {
    const mirror = await debianMirror();
    const apt = await openAptWorkspace(join(work, "apt"), { mirror, suite: request.suite });
    const debs = await downloadWithDependencies(apt, request.package);
    const manifest = await unpack(request, { apt, debs, made: join(work, "made") });
    if (!request.accepts(manifest.version)) {
      throw new Error(`Debian ${request.suite} has ${request.package} ${manifest.packageVersion} now`);
    }
    return { manifest, dir: await moveIntoPlace(join(work, "made"), join(dir, rootName(manifest))) };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function rootName({ suite, package: name, packageVersion, architecture: machine }: Manifest): string {
  return `${suite}-${name}-${packageVersion.replaceAll(/[^\w.+~-]/g, "_")}-${machine}`;
}

/** What stands in the place of a new root is damaged, or it would have been used. */
async function moveIntoPlace(made: string, place: string): Promise<string> {
  const damaged = `${made}-damaged`;
  await rename(place, damaged).catch(() => {});
  await rename(made, place);
  await rm(damaged, { recursive: true, force: true });
  return place;
}

type Unpacking = { apt: AptWorkspace; debs: readonly string[]; made: string };

async function unpack(request: DebianRequest, { debs, made }: Unpacking): Promise<Manifest> {
  const root = join(made, "root");
  await mkdir(root, { recursive: true });
  for (const deb of debs) await runCommand("dpkg-deb", ["--extract", deb, root]);
  for (const unread of ["doc", "man", "info", "locale", "lintian"]) {
    await rm(join(root, "usr/share", unread), { recursive: true, force: true });
  }
  const files = await listFiles(root);
  const manifest: Manifest = {
    format: 1,
    suite: request.suite,
    package: request.package,
    ...(await versionOf(request.package, debs)),
    architecture: await architecture(),
    debs: Object.fromEntries(
      await Promise.all(debs.map(async (deb) => [basename(deb), await sha256OfFile(deb)])),
    ),
    executable: onlyFile(files, (path) => path === `usr/bin/${request.executable}`),
    loader: onlyFile(files, (path) =>
      /^(usr\/)?lib\/[^/]+-linux-[^/]+\/ld-(linux.*\.so\.\d+|2\.\d+\.so)$/.test(path),
    ),
    libraries: libraryFolders(files),
    listing: listingDigest(files),
    contents: await contentsDigest(root, files),
  };
  await writeFile(join(made, "manifest.json"), JSON.stringify(manifest, undefined, 2));
  return manifest;
}

async function versionOf(name: string, debs: readonly string[]) {
  const deb = debs.find((path) => basename(path).startsWith(`${name}_`));
  if (!deb) throw new Error(`apt-get did not download ${name}`);
  const packageVersion = (await runCommand("dpkg-deb", ["--field", deb, "Version"])).trim();
  // "5:7.0.15-1~deb12u5": epoch, the program's version, Debian's revision.
  return { packageVersion, version: packageVersion.replace(/^\d+:/, "").replace(/-[^-]*$/, "") };
}

async function architecture(): Promise<string> {
  return (await runCommand("dpkg", ["--print-architecture"])).trim();
}

type ListedFile = { path: string; size: number; isLink: boolean; target: string };

async function listFiles(root: string): Promise<ListedFile[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = await Promise.all(
    entries
      .filter((entry) => !entry.isDirectory())
      .map(async (entry): Promise<ListedFile> => {
        const path = join(entry.parentPath, entry.name);
        const isLink = entry.isSymbolicLink();
        const target = isLink ? await readlink(path) : "";
        return { path: relative(root, path), size: isLink ? 0 : (await lstat(path)).size, isLink, target };
      }),
  );
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function listingDigest(files: readonly ListedFile[]): string {
  const lines = files.map(({ path, size, target }) => `${path}\t${size}\t${target}`);
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}

async function contentsDigest(root: string, files: readonly ListedFile[]): Promise<string> {
  const digest = createHash("sha256");
  for (const { path } of files.filter(({ isLink }) => !isLink))
    digest.update(await sha256OfFile(join(root, path)));
  return digest.digest("hex");
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

function onlyFile(files: readonly ListedFile[], isIt: (path: string) => boolean): string {
  const found = files.find(({ path }) => isIt(path));
  if (!found) throw new Error("the unpacked packages lack the program or its dynamic loader");
  return found.path;
}

/** Plugins that programs load by path are no libraries, and some carry the names of libraries. */
function libraryFolders(files: readonly ListedFile[]): string[] {
  const folders = files
    .filter(({ path }) => /^(usr\/)?lib\/(.*\/)?lib[^/]*\.so[^/]*$/.test(path))
    .map(({ path }) => join(path, ".."))
    .filter((folder) => !/plugins|engines|gconv|ossl-mod/.test(folder));
  return [...new Set(folders)];
}
