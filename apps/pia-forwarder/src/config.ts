import { type ConfigOf, declareSettings, qbitSettings, setting } from "@qbit-sidecars/config";
import { serviceSettings, stateDirSetting, tellChangeSettings } from "@qbit-sidecars/service";

/** Where health, status and metrics are served unless told otherwise. */
export const defaultHealthAddr = ":9102";

/** Every setting of pia-forwarder. The names that begin with PIA_ and QBITTORRENT_, and CHECK_INTERVAL, are the seed's. */
export const settings = declareSettings(
  {
    piaUsername: setting.text({
      env: ["PIA_USERNAME", "PIA_USER"],
      about: "PIA user name, p and seven digits. Not needed with a token file.",
    }),
    piaPassword: setting.secret({
      env: ["PIA_PASSWORD", "PIA_PASS"],
      about: "PIA password.",
    }),
    piaTokenFile: setting.path({
      env: ["PIA_TOKEN_FILE"],
      default: "/var/run/pia_token",
      about:
        "File with a PIA token in its first line, as PIA's own scripts write it. Used when it is there; read again when " +
        "PIA refuses the token.",
    }),
    piaGateway: setting.text({
      env: ["PIA_GATEWAY", "PF_GATEWAY"],
      pattern: { regex: /^\d{1,3}(\.\d{1,3}){3}$/, means: "an IPv4 address" },
      defaultText: "found by asking the tunnel's likely gateways, 10.0.0.1 last",
      about: "Address of PIA's gateway inside the tunnel.",
    }),
    piaHostname: setting.text({
      env: ["PIA_HOSTNAME", "PF_HOSTNAME"],
      pattern: { regex: /^[A-Za-z\d.-]+$/, means: "a server's name such as panama408" },
      about:
        "Name of the PIA server, checked against its certificate. Without it, any of PIA's servers will do.",
    }),
    piaCaCert: setting.path({
      env: ["PIA_CA_CERT"],
      about: "PIA's CA certificate, a PEM file. Without it the gateway's certificate cannot be checked.",
    }),
    piaTokenUrl: setting.url({
      env: ["PIA_TOKEN_URL"],
      default: "https://www.privateinternetaccess.com/api/client/v2/token",
      about: "Where a token is got for user name and password.",
    }),
    piaTimeout: setting.duration({
      env: ["PIA_TIMEOUT"],
      unit: "s",
      default: "10s",
      min: "100ms",
      max: "60s",
      about: "How long PIA may take for one answer.",
    }),
    piaGatewayPort: setting.port({
      env: ["PIA_GATEWAY_PORT"],
      default: 19_999,
      hidden: true,
      about: "Port of the gateway.",
    }),
    checkInterval: setting.duration({
      env: ["CHECK_INTERVAL"],
      unit: "s",
      default: "300s",
      min: "1s",
      max: "900s",
      about: "How often the port is bound anew. PIA takes it away after 15 minutes without.",
    }),
    renewBefore: setting.duration({
      env: ["RENEW_BEFORE"],
      unit: "d",
      default: "7d",
      min: "1h",
      max: "50d",
      about: "How long before the port's end (about two months) another one is got, bound and given over.",
    }),
    ...qbitSettings({
      url: { flag: "--qbittorrent-host", env: ["QBITTORRENT_HOST"], default: "http://localhost:8080" },
      user: { flag: "--qbittorrent-username", env: ["QBITTORRENT_USERNAME"] },
      pass: { env: ["QBITTORRENT_PASSWORD"] },
    }),
    setQbittorrent: setting.toggle({
      env: ["SET_QBITTORRENT"],
      default: true,
      about: "Give the port to qBittorrent; off where port-sync does that from PORT_FILE.",
    }),
    disableUpnp: setting.toggle({
      env: ["QBIT_DISABLE_UPNP", "DISABLE_UPNP"],
      default: true,
      about: "Keep UPnP and NAT-PMP off in qBittorrent; behind a VPN they ask the wrong router.",
    }),
    portFile: setting.path({
      env: ["PORT_FILE"],
      about: "File to write the port to, as gluetun does. Written only when something changed.",
    }),
    ...tellChangeSettings(),
    once: setting.toggle({
      env: ["PIA_FORWARDER_ONCE"],
      default: false,
      about: "Bind the port, give it over and end: exit code 0 when both were done, 1 when not.",
    }),
    ...stateDirSetting("/var/lib/pia-forwarder"),
    ...serviceSettings({ healthAddr: defaultHealthAddr }),
  },
  [
    {
      of: ["piaUsername", "piaPassword"],
      check: ({ piaUsername, piaPassword }) =>
        (piaUsername === undefined) === (piaPassword === undefined)
          ? undefined
          : {
              wrong: "one of the two is not enough to log in",
              right: "both, or neither and a PIA_TOKEN_FILE",
            },
    },
  ],
);

export type Config = ConfigOf<typeof settings>;
