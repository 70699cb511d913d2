import { type ProcessLike, runService, type Surroundings } from "@qbit-sidecars/service";
import { qbsyncSource } from "./app.ts";
import { settings } from "./config.ts";

/** Everything `main.ts` runs unless it only answers a health check. */
export async function program(process: ProcessLike, surroundings?: Surroundings): Promise<void> {
  // One image did both until now: `command: destination` in a Compose file names the other one.
  if (process.argv[2] === "destination") {
    process.stderr.write(
      "this is qbsync-source; the destination is an image of its own: ghcr.io/qbit-sidecars/qbsync-destination\n",
    );
    process.exitCode = 2;
    return;
  }
  await runService(
    {
      name: "qbsync-source",
      version: "0.1.0", // x-release-please-version
      about:
        "Streams torrents to qbsync-destination, piece by piece, while qBittorrent still downloads them.",
      settings,
      ignoredWords: ["source"],
      start: qbsyncSource,
      doctor: async (config, service) => (await import("./doctor.ts")).doctor(config, service),
    },
    process,
    surroundings,
  );
}
