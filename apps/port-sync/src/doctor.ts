import type { QbitClient } from "@qbit-sidecars/qbit-client";
import type { Service } from "@qbit-sidecars/service";
import {
  type DoctorCheck,
  type Finding,
  listenAddress,
  loggedIn,
  ok,
  problem,
  qbittorrentDoctor,
} from "@qbit-sidecars/service/doctor";
import { controlServer, portFile } from "./app.ts";
import { type Config, settings } from "./config.ts";
import type { PortReading } from "./read-port.ts";

/** What port-sync needs: where the port is told, a qBittorrent that lets it in, and an address for probes. */
export async function doctor(config: Config, service: Service): Promise<readonly DoctorCheck[]> {
  const { healthAddr } = config;
  const { checks, client } = await qbittorrentDoctor({
    config,
    service,
    settings,
    health: healthAddr,
    clockMatters: "their logs tell different times",
  });
  return [
    portFileCheck(config, service),
    ...gluetunChecks(config),
    ...checks,
    listenPortCheck(client, { config, service }),
    listenAddress({
      name: "health address",
      address: healthAddr,
      setting: "HEALTH_ADDR",
      app: service.name,
      health: healthAddr,
    }),
  ];
}

function portFileCheck(config: Config, service: Service): DoctorCheck {
  return {
    name: "port file",
    async look(signal) {
      const reading = await portFile(config, service).read(signal);
      if (reading.kind === "port") return ok(`${config.portFile} says ${reading.port}`);
      if (config.gluetunAddr !== undefined) return ok(`${reading.why}; gluetun is asked instead`);
      return problem(
        reading.why,
        "switch port forwarding on in gluetun (VPN_PORT_FORWARDING=on), mount its folder here, or set PORT_FILE",
      );
    },
  };
}

function gluetunChecks(config: Config): DoctorCheck[] {
  const server = controlServer(config);
  if (server === undefined) return [];
  const todo =
    "see that GLUETUN_ADDR is gluetun's control server as seen from here, and that the VPN forwards ports";
  return [
    {
      name: "gluetun",
      look: async (signal) => told(await server.read(signal), `${config.gluetunAddr} says`, todo),
    },
  ];
}

function told(reading: PortReading, who: string, todo: string): Finding {
  return reading.kind === "port" ? ok(`${who} ${reading.port}`) : problem(reading.why, todo);
}

type Context = { config: Config; service: Service };

/** Both sides, as they are now; the port is not changed. */
function listenPortCheck(client: QbitClient, { config, service }: Context): DoctorCheck {
  return {
    name: "listen port",
    after: [loggedIn],
    async look(signal) {
      const { listen_port: actual } = await client.app.preferences({ signal });
      const { connection_status: status } = await client.transfer.info({ signal });
      const file = await portFile(config, service).read(signal);
      const reading = file.kind === "port" ? file : await controlServer(config)?.read(signal);
      if (reading?.kind !== "port")
        return ok(`qBittorrent listens on ${actual}; the VPN forwards no port now`);
      if (actual !== reading.port)
        return problem(
          `qBittorrent listens on ${actual}, and the VPN forwards ${reading.port}`,
          "start port-sync, or see in its log why it does not set the port; `--once` sets it now",
        );
      if (status === "disconnected")
        return problem(
          `qBittorrent listens on the forwarded port ${actual} and reports \`disconnected\``,
          "look at its network interface (Options → Advanced): it must be the VPN's, or any",
        );
      return ok(`qBittorrent listens on the forwarded port ${actual}`);
    },
  };
}
