import { join } from "node:path";
import { ServerUnavailableError } from "../servers/find-program.ts";
import { runCommand } from "../servers/run-command.ts";
import { tellSkip } from "../servers/server-at-hand.ts";
import { EngineRoom } from "./engine-room.ts";

/** What `docker buildx bake` would build, as it prints it. */
export type BakeTarget = {
  context: string;
  dockerfile: string;
  target?: string;
  args: Record<string, string>;
  labels: Record<string, string>;
  tags: string[];
  platforms: string[];
};

/**
 * The targets of a docker-bake.hcl, matrix and variables resolved by Docker's own buildx: the one on PATH, or Debian's in
 * a root of its own. Builds nothing and needs no engine.
 *
 * @param folder the one that holds the file
 * @throws ServerUnavailableError when there is no buildx
 */
export async function bakePlan(
  folder: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Record<string, BakeTarget>> {
  const env = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const bake = ["bake", "--print", `--file=${join(folder, "docker-bake.hcl")}`];
  const onPath = () => runCommand("env", [...env, "docker", "buildx", ...bake]);
  const ofOurOwn = async () => {
    await using room = await EngineRoom.open();
    const [command, ...args] = room.commandLine("env", [...env, "docker-buildx", ...bake]);
    return await runCommand(command, args);
  };
  const reasons: string[] = [];
  for (const way of [onPath, ofOurOwn]) {
    try {
      return (JSON.parse(await way()) as { target: Record<string, BakeTarget> }).target;
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new ServerUnavailableError(`docker buildx cannot be had:\n  - ${reasons.join("\n  - ")}`);
}

/** Whether a test file must do without; told on stderr, an error under `CI=true`, as `isEngineMissing`. */
export async function isBakeMissing(folder: string, env = process.env): Promise<boolean> {
  try {
    await bakePlan(folder);
    return false;
  } catch (error) {
    if (!(error instanceof ServerUnavailableError) || env.CI === "true") throw error;
    tellSkip(error.message);
    return true;
  }
}
