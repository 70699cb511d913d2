import { engineDoctor } from "@qbit-sidecars/rules-run/doctor";
import type { Service } from "@qbit-sidecars/service";
import { type DoctorCheck, listenAddress } from "@qbit-sidecars/service/doctor";
import { type Config, settings } from "./config.ts";

/** What rules-worker needs: the rules, the queue in Redis, qBittorrent, and an address for probes. */
export async function doctor(config: Config, service: Service): Promise<readonly DoctorCheck[]> {
  const { healthAddr: health } = config;
  const { checks } = await engineDoctor({ config, service, settings, health });
  const address = { name: "health address", address: health, setting: "HEALTH_ADDR" };
  return [...checks, listenAddress({ ...address, app: service.name, health })];
}
