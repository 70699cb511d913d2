import { mkdir, mkdtemp, rm, symlink, writeFile, copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { debianMirror, downloadWithDependencies, openAptWorkspace } from "../servers/apt.ts";
import { cachedFolder } from "../servers/cached-folder.ts";
import { cacheFolder } from "../servers/debian-root.ts";
import { runCommand } from "../servers/run-command.ts";

/** What every one of them has: enough for a person who installs something by hand. */
const base =
  "base-files base-passwd bash coreutils dash diffutils findutils grep gzip hostname iproute2 libatomic1 libstdc++6 " +
  "login mawk mount passwd procps sed tar util-linux xz-utils";

/** Services a Debian system starts that have no business in a test. */
const masked =
  "ldconfig.service systemd-firstboot.service systemd-networkd.service systemd-networkd.socket " +
  "systemd-resolved.service systemd-timesyncd.service systemd-udevd.service";

/** To be raised with each change to how images are made. */
const made = 2;

export type ImageOptions = {
  name: string;
  /** Debian packages on top of the base. */
  packages: readonly string[];
  env?: NodeJS.ProcessEnv;
};

/**
 * The folder of a small Debian system of the suite trixie that a machine can be started from: made once, in 10 seconds
 * and 150 MB, kept with the servers' roots. Packages are unpacked, not installed; what their scripts would have made and
 * a machine needs is made here.
 */
export async function debianImage({ name, packages, env = process.env }: ImageOptions): Promise<string> {
  const architecture = (await runCommand("dpkg", ["--print-architecture"], { env })).trim();
  const wanted = [...base.split(" "), ...packages].join(" ");
  const image = await cachedFolder<{ made: number; packages: string }>({
    cache: join(cacheFolder(env), "machines"),
    kind: `trixie-${architecture}-${name}`,
    isRight: (description) => description.made === made && description.packages === wanted,
    make: async (files) => {
      await unpackSystem(files, wanted.split(" "), env);
      await settleIn(files);
      return { version: "1", description: { made, packages: wanted } };
    },
  });
  return image.files;
}

async function unpackSystem(
  root: string,
  packages: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "qbit-sidecars-apt-"));
  try {
    const apt = await openAptWorkspace(work, { mirror: await debianMirror(env), suite: "trixie" }, env);
    const debs = await downloadWithDependencies(apt, packages);
    // First what makes /bin a link to /usr/bin, and the like.
    const isFirst = (path: string) => basename(path).startsWith("base-files_");
    for (const deb of [...debs.filter(isFirst), ...debs.filter((path) => !isFirst(path))]) {
      await runCommand("dpkg-deb", ["--extract", deb, root], { env });
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function settleIn(root: string): Promise<void> {
  const etc = join(root, "etc");
  for (const file of ["passwd", "group"]) {
    await copyFile(join(root, "usr/share/base-passwd", `${file}.master`), join(etc, file));
  }
  for (const file of ["shadow", "gshadow"]) await writeFile(join(etc, file), "", { mode: 0o640 });
  await writeFile(join(etc, "hosts"), "127.0.0.1 localhost\n");
  // What pam-auth-update writes, for a system in which everybody already is who they are.
  for (const kind of ["auth", "account", "password", "session", "session-noninteractive"]) {
    const rule = `${kind.replace("-noninteractive", "")} required pam_permit.so\n`;
    await writeFile(join(etc, "pam.d", `common-${kind}`), rule);
  }
  // With an id of its own, systemd does not take this for the very first boot and enable all there is.
  await writeFile(join(etc, "machine-id"), "0123456789abcdef0123456789abcdef\n");
  await symlink("mawk", join(root, "usr/bin/awk"));
  await rm(join(root, "var/run"), { recursive: true, force: true });
  await symlink("/run", join(root, "var/run"));
  await mkdir(join(etc, "systemd/system"), { recursive: true });
  for (const unit of masked.split(" ")) await symlink("/dev/null", join(etc, "systemd/system", unit));
}
