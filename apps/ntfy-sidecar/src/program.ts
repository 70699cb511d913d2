import { type ProcessLike, runService, type Surroundings } from "@qbit-sidecars/service";
import { ntfySidecar } from "./app.ts";
import { settings } from "./config.ts";
import { installHooksCommand } from "./install-hooks.ts";
import { testNotification } from "./test-notification.ts";

/** Everything `main.ts` runs unless it only answers a health check. */
export function program(process: ProcessLike, surroundings?: Surroundings): Promise<void> {
  return runService(
    {
      name: "ntfy-sidecar",
      version: "0.1.0", // x-release-please-version
      about:
        "Tells a phone, through ntfy, how downloads go: one quiet line for each, one sound when it is done.",
      settings,
      start: ntfySidecar,
      doctor: async (config, service) => (await import("./doctor.ts")).doctor(config, service),
      commands: {
        "test-notification": {
          about: "Send one notification and say whether it arrived; exit 0 or 1.",
          run: testNotification,
        },
        "install-hooks": {
          about: "Make qBittorrent call this service for added and finished torrents; never overwrites.",
          run: installHooksCommand,
        },
      },
    },
    process,
    surroundings,
  );
}
