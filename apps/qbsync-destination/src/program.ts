import { type ProcessLike, runService, type Surroundings } from "@qbit-sidecars/service";
import { qbsyncDestination } from "./app.ts";
import { settings } from "./config.ts";

/** Everything `main.ts` runs unless it only answers a health check. */
export function program(process: ProcessLike, surroundings?: Surroundings): Promise<void> {
  if (process.argv.slice(2).includes("source")) {
    process.stderr.write("this image is qbsync-destination; `source` is what the image qbsync-source does\n");
    process.exitCode = 2;
    return Promise.resolve();
  }
  return runService(
    {
      name: "qbsync-destination",
      version: "0.1.0", // x-release-please-version
      about: "Receives torrents from qbsync-source, verifies and stores them, and gives them to qBittorrent.",
      settings,
      ignoredWords: ["destination"],
      examples: ["qbsync-destination --data /downloads --qb-url http://localhost:8080 --listen :50051"],
      start: qbsyncDestination,
      doctor: async (config, service) => (await import("./doctor.ts")).doctor(config, service),
    },
    process,
    surroundings,
  );
}
