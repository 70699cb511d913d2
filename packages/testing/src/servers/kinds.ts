import type { ServerKind } from "./program.ts";

export type QbittorrentVersion = "4.2.5" | "4.5.2" | "5.1.0" | "5.3.0";

const suites: Record<QbittorrentVersion, string> = {
  "4.2.5": "bullseye",
  "4.5.2": "bookworm",
  "5.1.0": "trixie",
  "5.3.0": "forky",
};

export function qbittorrentKind(version: QbittorrentVersion): ServerKind {
  return {
    name: `qBittorrent ${version}`,
    variable: `QBIT_SIDECARS_QBITTORRENT_${version.replaceAll(".", "_")}`,
    executable: "qbittorrent-nox",
    version,
    accepts: (found) => sameNumbers(found, version, 3),
    debian: { suite: suites[version], package: "qbittorrent-nox" },
    // The project publishes no image of 4.2.
    ...(version !== "4.2.5" && { image: `qbittorrentofficial/qbittorrent-nox:${version}-1` }),
  };
}

export function redisKind(): ServerKind {
  return {
    name: "Redis",
    variable: "QBIT_SIDECARS_REDIS",
    executable: "redis-server",
    version: "7.0.15",
    accepts: (found) => sameNumbers(found, "7", 1),
    debian: { suite: "bookworm", package: "redis-server" },
    image: "redis:7.0.15",
  };
}

export function ntfyKind(): ServerKind {
  return {
    name: "ntfy",
    variable: "QBIT_SIDECARS_NTFY",
    executable: "ntfy",
    version: "2.27.0",
    accepts: (found) => sameNumbers(found, "2.27", 2),
    debian: { suite: "forky", package: "ntfy" },
    image: "binwiederhier/ntfy:v2.27.0",
  };
}

/** Versions tests run on: an old and a new qBittorrent, and with `QBIT_SIDECARS_LONG=1` all that are supported. */
export function qbittorrentVersionsUnderTest(env = process.env): QbittorrentVersion[] {
  return env.QBIT_SIDECARS_LONG === "1" ? ["4.2.5", "4.5.2", "5.1.0", "5.3.0"] : ["4.5.2", "5.3.0"];
}

function sameNumbers(found: string, wanted: string, count: number): boolean {
  const numbers = (version: string) => version.split(".").slice(0, count).join(".");
  return numbers(found) === numbers(wanted);
}
