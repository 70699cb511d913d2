import { type ChartedApp, chartedApps } from "@qbit-sidecars/charts";

/** Somebody outside that apps talk with, or that asks them. */
export type Neighbour = "gluetun" | "PIA" | "ntfy" | "Redis or Valkey" | "Sonarr, Radarr" | "qBittorrent";

/** By the names of the settings that say where they are. */
const behindSetting: Readonly<Record<string, Neighbour>> = {
  gluetunAddr: "gluetun",
  piaGateway: "PIA",
  ntfyServer: "ntfy",
  queueRedisUrl: "Redis or Valkey",
  sonarrUrl: "Sonarr, Radarr",
  radarrUrl: "Sonarr, Radarr",
  qbitUrl: "qBittorrent",
};

/** Addresses that lead to no neighbour of their own: own listeners, other apps of ours, receivers that a user chooses. */
const others = new Set(
  "healthAddr probeAddr listenAddr listen hookUrl clientServerUrl destinationAddr piaTokenUrl webhookUrl notificationsWebhookUrl".split(
    " ",
  ),
);

/** @throws Error naming a setting that holds an address of somebody who is not in the picture */
export function neighboursOf({ name, declared }: ChartedApp): ReadonlySet<Neighbour> {
  const addresses = declared.filter((setting) => /(Url|Addr|Server|Gateway)$/.test(setting.name));
  const unknown = addresses.filter(
    (setting) => !(setting.name in behindSetting) && !others.has(setting.name),
  );
  if (unknown.length > 0)
    throw new Error(`${name}: who is at ${unknown.map((setting) => setting.name).join(", ")}?`);
  return new Set(declared.flatMap((setting) => behindSetting[setting.name] ?? []));
}

/** Whether qBittorrent's hooks call it. */
export function isCalledByHooks({ declared }: ChartedApp): boolean {
  return declared.some(({ name }) => name === "listenAddr" || name === "serverHost");
}

/** The app whose pieces this one takes: of the two that speak with each other. */
export const sends = chartedApps.find(({ declared }) =>
  declared.some(({ name }) => name === "destinationAddr"),
);
