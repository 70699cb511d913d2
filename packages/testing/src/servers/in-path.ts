import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** Where the executable is that a shell with this PATH would run. */
export async function inPath(executable: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env.PATH ?? "").split(delimiter).filter(Boolean)) {
    const path = join(folder, executable);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}
