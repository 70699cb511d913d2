import { type ProcessLike, runService, type Surroundings } from "@qbit-sidecars/service";
import { portSync } from "./app.ts";
import { settings } from "./config.ts";

/** Everything `main.ts` runs unless it only answers a health check. */
export function program(process: ProcessLike, surroundings?: Surroundings): Promise<void> {
  return runService(
    {
      name: "port-sync",
      version: "0.1.0", // x-release-please-version
      about: "Keeps qBittorrent's listening port equal to the port that the VPN forwards.",
      settings,
      start: portSync,
      doctor: async (config, service) => (await import("./doctor.ts")).doctor(config, service),
    },
    process,
    surroundings,
  );
}
