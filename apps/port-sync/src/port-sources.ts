import type { PortReading } from "./read-port.ts";
import type { PortSources } from "./sync-port.ts";

/**
 * Asks the port file first and the control server only when the file holds no port: the server deadlocks in some
 * gluetun builds, the file cannot. When neither has one, the file's reason is told, followed by the server's.
 */
export function fileFirst(file: PortSources, controlServer: PortSources | undefined): PortSources {
  if (controlServer === undefined) return file;
  return {
    async read(signal: AbortSignal): Promise<PortReading> {
      const fromFile = await file.read(signal);
      if (fromFile.kind === "port") return fromFile;
      const fromServer = await controlServer.read(signal);
      if (fromServer.kind === "port") return fromServer;
      // Only when both say "no port" has the VPN said so; a source that is broken proves nothing.
      return {
        kind: "none",
        why: `${fromFile.why}, and ${fromServer.why}`,
        cleared: fromFile.cleared && fromServer.cleared,
      };
    },
  };
}
