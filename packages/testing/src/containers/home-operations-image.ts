import { chmod, cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { debianImage } from "../machine/debian-image.ts";
import { tempDir } from "../temp-dir.ts";
import type { ContainerEngine } from "./engine.ts";

/**
 * Builds an image of a real qBittorrent (Debian trixie's, 5.1) that is laid out as home-operations' is: a shell, no user
 * of its own, `/config/qBittorrent/qBittorrent.conf` as its configuration and nothing written elsewhere. It has no
 * configuration in it: whoever runs it says where it listens.
 */
export async function buildHomeOperationsImage(
  engine: ContainerEngine,
  { tag }: { tag: string },
): Promise<void> {
  const system = await debianImage({ name: "qbittorrent", packages: ["qbittorrent-nox", "dash"] });
  await using context = await tempDir("qbit-sidecars-image-");
  await cp(system, join(context.path, "root"), { recursive: true, verbatimSymlinks: true });
  // podman gives an empty volume the mode of the folder below it, and knows no fsGroup.
  for (const folder of ["config", "downloads", "tmp"]) {
    const path = join(context.path, "root", folder);
    await mkdir(path, { recursive: true });
    await chmod(path, 0o777);
  }
  await writeFile(
    join(context.path, "Dockerfile"),
    `FROM scratch
COPY root/ /
ENV HOME=/config XDG_CONFIG_HOME=/config XDG_DATA_HOME=/config LANG=C.UTF-8
USER 65534
ENTRYPOINT ["/usr/bin/qbittorrent-nox"]
`,
  );
  await engine.build({ context: context.path, tag });
}
