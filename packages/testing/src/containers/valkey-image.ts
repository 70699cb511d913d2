import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { debianImage } from "../machine/debian-image.ts";
import { tempDir } from "../temp-dir.ts";
import type { ContainerEngine } from "./engine.ts";

/**
 * Builds an image of a real Valkey that is started as the project's own is: its command line is `valkey-server …`. And as
 * that one, which is compiled so, it lets other containers in without a password.
 */
export async function buildValkeyImage(engine: ContainerEngine, { tag }: { tag: string }): Promise<void> {
  const system = await debianImage({ name: "valkey", packages: ["valkey-server"] });
  await using context = await tempDir("qbit-sidecars-image-");
  await cp(system, join(context.path, "root"), { recursive: true, verbatimSymlinks: true });
  await mkdir(join(context.path, "root/data"), { recursive: true });
  const dockerfile = `FROM scratch
COPY root/ /
ENV PATH=/usr/bin:/bin
WORKDIR /data
ENTRYPOINT ["/bin/sh", "-c", "exec \\"$@\\" --protected-mode no", "--"]
CMD ["valkey-server"]
`;
  await writeFile(join(context.path, "Dockerfile"), dockerfile);
  await engine.build({ context: context.path, tag });
}
