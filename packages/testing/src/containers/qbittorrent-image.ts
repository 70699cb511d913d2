import { cp, mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { debianRoot } from "../servers/debian-root.ts";
import { type QbittorrentVersion, qbittorrentKind } from "../servers/kinds.ts";
import { type IniSections, iniText, passwordHash, quietQbittorrent } from "../servers/qbittorrent-conf.ts";
import { tempDir } from "../temp-dir.ts";
import type { ContainerEngine } from "./engine.ts";

/** Who gets in from elsewhere. */
type Login = { username: string; password: string };

/**
 * Builds an image of a real qBittorrent under the given name, to play the part of linuxserver's or home-operations':
 * its profile is `/config`, its Web UI answers localhost on port 8080 without a password, it runs as whoever it is told
 * to (65532 by itself), and it looks for nobody on the network. With a login it answers other containers as well.
 */
export async function buildQbittorrentImage(
  engine: ContainerEngine,
  { tag, version = "5.3.0", login }: { tag: string; version?: QbittorrentVersion; login?: Login },
): Promise<void> {
  const { files, description } = await debianRoot(qbittorrentKind(version));
  await using context = await tempDir("qbit-sidecars-image-");
  const root = join(context.path, "root");
  await cp(files, root, { recursive: true, verbatimSymlinks: true });
  const profile = join(root, "config/qBittorrent/config");
  for (const folder of [profile, join(root, "tmp"), join(root, "downloads")])
    await mkdir(folder, { recursive: true });
  const quiet = quietQbittorrent({ webPort: 8080, listenPort: 6881, savePath: "/downloads" });
  await writeFile(join(profile, "qBittorrent.conf"), iniText(quiet, login ? reachableBy(login) : {}));
  const libraries = description.libraries.map((path) => `/${path}`).join(":");
  const plugins = `/usr/lib/${basename(dirname(description.loader))}/qt6/plugins`;
  const program = [`/${description.loader}`, "--library-path", libraries, `/${description.executable}`];
  await writeFile(
    join(context.path, "Dockerfile"),
    `FROM scratch
COPY root/usr/ /usr/
COPY --chmod=0777 root/config/ /config/
COPY --chmod=1777 root/tmp/ /tmp/
COPY --chmod=0777 root/downloads/ /downloads/
ENV HOME=/config TMPDIR=/tmp QT_PLUGIN_PATH=${plugins} LOCPATH=/usr/lib/locale
USER 65532
ENTRYPOINT ${JSON.stringify([...program, "--profile=/config"])}
`,
  );
  await engine.build({ context: context.path, tag });
}

function reachableBy({ username, password }: Login): IniSections {
  return {
    Preferences: {
      "WebUI\\Address": "*",
      "WebUI\\ServerDomains": "*",
      "WebUI\\Username": username,
      "WebUI\\Password_PBKDF2": passwordHash(password),
    },
  };
}
