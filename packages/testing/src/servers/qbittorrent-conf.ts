import { pbkdf2Sync, randomBytes } from "node:crypto";

export type IniSections = Record<string, Record<string, string>>;

type QuietSections = Record<"LegalNotice" | "BitTorrent" | "Network" | "Preferences", Record<string, string>>;

/**
 * Settings of a qBittorrent that stays on the loopback address, asks no router, tracker or update server for anything
 * by itself, and lets everybody on this machine use its Web API.
 *
 * Before 4.4 the session's settings were kept as `[Preferences] Connection\…`, `Bittorrent\…` and `Downloads\…`; a
 * version ignores the names it does not know, so each file has both.
 */
export function quietQbittorrent(place: {
  webPort: number;
  listenPort: number;
  savePath: string;
}): QuietSections {
  const { webPort, listenPort, savePath } = place;
  return {
    LegalNotice: { Accepted: "true" },
    BitTorrent: {
      "Session\\DHTEnabled": "false",
      "Session\\LSDEnabled": "false",
      "Session\\PeXEnabled": "false",
      "Session\\Interface": "lo",
      "Session\\InterfaceName": "lo",
      "Session\\Port": String(listenPort),
      "Session\\UseRandomPort": "false",
      "Session\\DefaultSavePath": savePath,
    },
    Network: { PortForwardingEnabled: "false" },
    Preferences: {
      "Bittorrent\\DHT": "false",
      "Bittorrent\\LSD": "false",
      "Bittorrent\\PeX": "false",
      "Connection\\Interface": "lo",
      "Connection\\InterfaceName": "lo",
      "Connection\\PortRangeMin": String(listenPort),
      "Connection\\UPnP": "false",
      "Connection\\UseRandomPort": "false",
      // Otherwise it downloads a database of countries.
      "Connection\\ResolvePeerCountries": "false",
      "Downloads\\SavePath": savePath,
      "General\\Locale": "en",
      "WebUI\\Address": "127.0.0.1",
      "WebUI\\Port": String(webPort),
      "WebUI\\UseUPnP": "false",
      "WebUI\\LocalHostAuth": "false",
      "WebUI\\AuthSubnetWhitelistEnabled": "true",
      "WebUI\\AuthSubnetWhitelist": "127.0.0.1/32",
    },
  };
}

/** The text of an ini file with the entries of both, where `over` wins. */
export function iniText(sections: IniSections, over: IniSections): string {
  const names = [...new Set([...Object.keys(sections), ...Object.keys(over)])];
  return names.map((name) => sectionText(name, { ...sections[name], ...over[name] })).join("\n");
}

function sectionText(name: string, entries: Record<string, string>): string {
  const lines = Object.entries(entries).map(([key, value]) => `${key}=${value}`);
  return [`[${name}]`, ...lines, ""].join("\n");
}

/** As qBittorrent stores a Web UI password since 4.2 (src/base/utils/password.cpp), quoted for its ini file. */
export function passwordHash(password: string, salt: Buffer = randomBytes(16)): string {
  const hash = pbkdf2Sync(password, salt, 100_000, 64, "sha512");
  return `"@ByteArray(${salt.toString("base64")}:${hash.toString("base64")})"`;
}
