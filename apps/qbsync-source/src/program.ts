import { formatAddress } from "@qbit-sidecars/config";
import { type ProcessLike, runService, type Surroundings } from "@qbit-sidecars/service";
import { qbsyncSource } from "./app.ts";
import { defaultHealthAddr, healthEnv, settings } from "./config.ts";

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
  if (process.argv[2] === "status") {
    process.exitCode = await statusCommand(process);
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
      commands: {
        status: {
          about: "Show how far torrents are, live; `status --help` says more.",
          run: ({ healthAddr }) =>
            statusCommand({ ...process, argv: ["", "", "status"], env: {} }, formatAddress(healthAddr)),
        },
      },
      doctor: async (config, service) => (await import("./doctor.ts")).doctor(config, service),
    },
    process,
    surroundings,
  );
}

/** Loaded only where it is asked for. */
async function statusCommand(process: ProcessLike, defaultAddr: string = defaultHealthAddr): Promise<number> {
  const { showStatus } = await import("./show-status.ts");
  return await showStatus(process, { defaultAddr, addrEnv: healthEnv });
}
