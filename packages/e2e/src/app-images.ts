import {
  type Architecture,
  bakePlan,
  type BakeTarget,
  type ContainerEngine,
  type RunningContainer,
} from "@qbit-sidecars/testing/containers";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/u, "");

/**
 * What an app needs to start where nothing else runs, and how much memory it may have: 64 MiB, in which its HEALTHCHECK
 * runs as well, a second Node. Of those two rules-server and rules-worker have one killed in 64 MiB.
 */
type Start = { env: Record<string, string>; megabytes: number };

const nowhere = "http://127.0.0.1:1";

const starts: Record<string, (health: string) => Start> = {
  "port-sync": (health) => ({ env: { HEALTH_ADDR: health }, megabytes: 64 }),
  "pia-forwarder": (health) => ({ env: { HEALTH_ADDR: health, PIA_TOKEN: "unused" }, megabytes: 64 }),
  "ntfy-sidecar": (health) => ({
    env: { HEALTH_ADDR: health, NTFY_TOPIC: `${nowhere}/downloads` },
    megabytes: 64,
  }),
  "rules-server": (health) => ({
    env: { QBT_RULES_SERVER_PORT: health.split(":")[1] ?? "", QBT_RULES_SERVER_API_KEY: "unused" },
    megabytes: 128,
  }),
  "rules-worker": (health) => ({
    env: {
      HEALTH_ADDR: health,
      QBT_RULES_QUEUE_BACKEND: "redis",
      QBT_RULES_QUEUE_REDIS_URL: "redis://127.0.0.1:1",
    },
    megabytes: 128,
  }),
  "qbsync-source": (health) => ({
    env: {
      HEALTH_ADDR: health,
      QBSYNC_SOURCE_DATA: "/app",
      QBSYNC_SOURCE_QB_URL: nowhere,
      QBSYNC_SOURCE_DESTINATION_ADDR: "127.0.0.1:1",
    },
    megabytes: 64,
  }),
  "qbsync-destination": (health) => ({
    env: { HEALTH_ADDR: health, QBSYNC_DESTINATION_DATA: "/var/lib/qbsync-destination" },
    megabytes: 64,
  }),
};

/** The seven, in the order of the README. */
export const appNames: readonly string[] = Object.keys(starts);

/** Those that are built: the others are still to come. */
export const builtApps: readonly string[] = appNames.filter((app) => {
  const file = readFileSync(join(repository, "apps", app, "package.json"), "utf8");
  return (JSON.parse(file) as { scripts?: { build?: string } }).scripts?.build !== undefined;
});

/** What docker-bake.hcl says of each app, at a version. */
export async function planImages(version = "dev"): Promise<Record<string, BakeTarget>> {
  return await bakePlan(repository, { VERSION: version });
}

/** Builds the image of an app from its bundle, on the base at hand; its name is the one it has in the registry. */
export async function buildAppImage(
  engine: ContainerEngine,
  target: BakeTarget | undefined,
  { format = "docker", architecture }: { format?: "docker" | "oci"; architecture?: Architecture } = {},
): Promise<{ image: string; id: string }> {
  const image = target?.tags[0];
  if (target === undefined || image === undefined) throw new Error("docker-bake.hcl has no such target");
  const id = await engine.build({
    context: repository,
    file: join(repository, target.dockerfile),
    args: { ...target.args, BASE: await engine.baseImage(architecture) },
    labels: target.labels,
    ...(target.target !== undefined && { target: target.target }),
    ...(architecture !== undefined && { platform: `linux/${architecture}` }),
    tag: image,
    format,
  });
  return { image, id };
}

/** The variables that an app cannot start without, with its probes at `health`. */
export function appEnvironment(app: string, health: string): Record<string, string> {
  return starts[app]?.(health).env ?? {};
}

/** Starts an app's image with what it cannot start without, its probes at `health`, and no more memory than it needs. */
export async function runAppImage(
  engine: ContainerEngine,
  target: BakeTarget | undefined,
  { image, health, env = {} }: { image: string; health: string; env?: Record<string, string> },
): Promise<RunningContainer> {
  const { APP = "", STATE = "" } = target?.args ?? {};
  const start = starts[APP]?.(health);
  if (start === undefined) throw new Error(`there is no app ${APP}`);
  return await engine.run({
    image,
    env: { ...start.env, ...env },
    volumes: [STATE],
    memoryMegabytes: start.megabytes,
  });
}
