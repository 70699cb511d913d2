import { type ProcessLike, runService, type Surroundings } from "@qbit-sidecars/service";
import { rulesWorker } from "./app.ts";
import { type Config, settings } from "./config.ts";

/** Everything `main.ts` runs unless it only answers a health check. */
export function program(process: ProcessLike, surroundings?: Surroundings): Promise<void> {
  return runService(
    {
      name: "rules-worker",
      version: "0.1.0", // x-release-please-version
      about: "Takes jobs from the queue of rules-server and applies the user's rules to qBittorrent.",
      settings,
      configFile: {
        env: ["QBT_RULES_CONFIG_FILE", "CONFIG_FILE"],
        default: ({ configDir = "/config" }: Partial<Config>) => `${configDir}/config.yml`,
        // One file may serve the server as well.
        otherKeys: ["server", "client", "schedule", "cross_seeding", "metrics", "instances", "health_addr"],
      },
      examples: ["rules-worker --queue-backend redis --queue-redis-url redis://localhost:6379/0"],
      graceMs: ({ gracePeriod }) => gracePeriod,
      start: rulesWorker,
      doctor: async (config, service) => (await import("./doctor.ts")).doctor(config, service),
    },
    process,
    surroundings,
  );
}
