import { type ConfigOf, declareSettings, qbitSettings, setting } from "@qbit-sidecars/config";
import { serviceSettings, tellChangeSettings } from "@qbit-sidecars/service";

/** Where health, status and metrics are served unless told otherwise. */
export const defaultHealthAddr = ":9101";

/** Every setting of port-sync. The names of QBIT_ADDR, QBIT_USER, QBIT_PASS, PORT_FILE and LOG_LEVEL are the seed's. */
export const settings = declareSettings({
  portFile: setting.path({
    env: ["PORT_FILE"],
    default: "/tmp/gluetun/forwarded_port",
    about: "File that gluetun writes the forwarded port to. It and its folder need not exist yet.",
  }),
  portIndex: setting.integer({
    env: ["PORT_INDEX"],
    default: 1,
    min: 1,
    max: 16,
    about: "Which port to take when the VPN forwards several, counted from 1.",
  }),
  ...qbitSettings({
    url: { flag: "--qbit-addr", env: ["QBIT_ADDR"], default: "http://localhost:8080" },
  }),
  syncInterval: setting.duration({
    env: ["SYNC_INTERVAL"],
    unit: "s",
    default: "60s",
    min: "1s",
    about: "How often qBittorrent is compared with the forwarded port even when nothing was heard.",
  }),
  pollInterval: setting.duration({
    env: ["POLL_INTERVAL"],
    unit: "s",
    default: "5s",
    about:
      "How often the port file is looked at, for volumes where file events do not arrive; 0 trusts the events.",
  }),
  debounce: setting.duration({
    env: ["DEBOUNCE"],
    unit: "ms",
    default: "100ms",
    max: "10s",
    about:
      "How long the port file must be left alone before it is believed; gluetun truncates before it writes.",
  }),
  onPortLost: setting.choice({
    env: ["ON_PORT_LOST"],
    values: ["keep", "park"],
    default: "keep",
    about: "What qBittorrent does while the VPN forwards no port: keep the last one, or park on PARK_PORT.",
  }),
  parkPort: setting.port({
    env: ["PARK_PORT"],
    default: 49152,
    about: "Port to park on.",
  }),
  lostAfter: setting.duration({
    env: ["LOST_AFTER"],
    unit: "s",
    default: "10s",
    about:
      "How long the port must be gone before qBittorrent is parked; gluetun clears it at every reconnect.",
  }),
  disableUpnp: setting.toggle({
    env: ["QBIT_DISABLE_UPNP", "DISABLE_UPNP"],
    default: true,
    about: "Keep UPnP and NAT-PMP off in qBittorrent; behind a VPN they ask the wrong router.",
  }),
  rebindAfter: setting.duration({
    env: ["REBIND_AFTER"],
    unit: "s",
    default: "60s",
    about:
      "Take the port anew when qBittorrent reports `disconnected` for this long, then ever less often; 0 = never.",
  }),
  reannounce: setting.toggle({
    env: ["REANNOUNCE"],
    default: false,
    about: "Tell the trackers of active torrents the new port at once rather than at their next announce.",
  }),
  gluetunAddr: setting.url({
    env: ["GLUETUN_ADDR"],
    key: "gluetun.addr",
    about: "Gluetun's control server, asked when the port file holds no port, such as http://localhost:8000.",
  }),
  gluetunApiKey: setting.secret({
    env: ["GLUETUN_API_KEY"],
    key: "gluetun.api_key",
    about: "API key of a role in gluetun's auth config (sent as X-API-Key).",
  }),
  gluetunUser: setting.text({
    env: ["GLUETUN_USER"],
    key: "gluetun.user",
    about: "User name of a role with basic auth.",
  }),
  gluetunPass: setting.secret({
    env: ["GLUETUN_PASS"],
    key: "gluetun.pass",
    about: "Password of that role.",
  }),
  gluetunTimeout: setting.duration({
    env: ["GLUETUN_TIMEOUT"],
    key: "gluetun.timeout",
    unit: "s",
    default: "3s",
    min: "100ms",
    about: "How long the control server may take to answer.",
  }),
  ...tellChangeSettings(),
  once: setting.toggle({
    env: ["PORT_SYNC_ONCE"],
    default: false,
    about: "Sync once and end: exit code 0 when qBittorrent listens on the forwarded port, 1 when not.",
  }),
  ...serviceSettings({ healthAddr: defaultHealthAddr }),
});

export type Config = ConfigOf<typeof settings>;
