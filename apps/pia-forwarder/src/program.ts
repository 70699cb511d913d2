import { type ProcessLike, runService, type Surroundings } from "@qbit-sidecars/service";
import { piaForwarder } from "./app.ts";
import { settings } from "./config.ts";
import { type Host, thisHost } from "./gateway.ts";

/** Everything `main.ts` runs unless it only answers a health check. */
export function program(
  process: ProcessLike,
  { host = thisHost, ...surroundings }: Surroundings & { host?: Host } = {},
): Promise<void> {
  return runService(
    {
      name: "pia-forwarder",
      version: "0.1.0", // x-release-please-version
      about: "Obtains, binds and renews a PIA forwarded port, and gives it to qBittorrent.",
      settings,
      start: (config, service) => piaForwarder(config, service, host),
      doctor: async (config, service) => (await import("./doctor.ts")).doctor(config, service, host),
      commands: {
        status: {
          about: "Show the port: as the running service tells it, else as it was kept.",
          async run(config, service) {
            const { showStatus } = await import("./show-status.ts");
            return showStatus(config, service, (text) => process.stdout.write(text));
          },
        },
      },
    },
    process,
    surroundings,
  );
}
