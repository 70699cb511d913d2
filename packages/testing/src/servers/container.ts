import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { userInfo } from "node:os";
import type { Program } from "./program.ts";
import { runCommand } from "./run-command.ts";

type Engine = "docker" | "podman";

/**
 * The program of a container image, downloaded when the engine does not have it yet.
 *
 * Containers share the machine's network: the servers' own configuration keeps them on the loopback address, as
 * everywhere else, and a qBittorrent whose listening port changes stays reachable, which no published port allows.
 */
export async function containerProgram(
  { image, executable, version }: { image: string; executable: string; version: string },
  env: NodeJS.ProcessEnv,
): Promise<Program> {
  const engine = await workingEngine(env);
  await runCommand(engine, ["image", "inspect", image], { env }).catch(() =>
    runCommand(engine, ["pull", image], { env }),
  );
  return {
    origin: `${engine}, ${image}`,
    version,
    commandLine: ({ args, dir, env: inside }) => {
      const name = `qbit-sidecars-${randomUUID()}`;
      const { uid, gid } = userInfo();
      const isolation = ["--rm", "--init", "--network=host", "--cap-drop=ALL", `--user=${uid}:${gid}`];
      const files = [`--volume=${dir}:${dir}`, `--workdir=${dir}`, `--entrypoint=${executable}`];
      const variables = Object.entries(inside).map(([key, value]) => `--env=${key}=${value}`);
      return {
        command: engine,
        args: ["run", `--name=${name}`, ...isolation, ...files, ...variables, image, ...args],
        env,
        container: {
          signal: (signal) => void execFile(engine, ["kill", `--signal=${signal}`, name], () => {}),
        },
      };
    },
  };
}

async function workingEngine(env: NodeJS.ProcessEnv): Promise<Engine> {
  for (const engine of ["docker", "podman"] as const) {
    const works = await runCommand(engine, ["info"], { env, timeoutMs: 10_000 }).then(
      () => true,
      () => false,
    );
    if (works) return engine;
  }
  throw new Error("neither docker nor podman works here");
}
