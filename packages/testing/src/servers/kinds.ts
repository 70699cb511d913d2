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
    accepts: (found) => isSameRelease(found, version),
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
    accepts: (found) => numbers(found)[0] >= 7,
    debian: { suite: "bookworm", package: "redis-server" },
    image: "redis:7.0.15",
  };
}

/** What most of those run who left Redis; the same protocol and files. */
export function valkeyKind(): ServerKind {
  return {
    name: "Valkey",
    variable: "QBIT_SIDECARS_VALKEY",
    executable: "valkey-server",
    version: "8.1.1",
    accepts: (found) => numbers(found)[0] >= 8,
    debian: { suite: "trixie", package: "valkey-server" },
    image: "valkey/valkey:8.1.1",
  };
}

/** 2.11.0 is the last of Debian before ntfy knew how to update messages in place (2.16). */
export type NtfyVersion = "2.11.0" | "2.27.0";

export function ntfyKind(wanted: NtfyVersion = "2.27.0"): ServerKind {
  const isOld = wanted === "2.11.0";
  return {
    name: isOld ? "ntfy 2.11.0" : "ntfy",
    variable: isOld ? "QBIT_SIDECARS_NTFY_2_11_0" : "QBIT_SIDECARS_NTFY",
    executable: "ntfy",
    version: wanted,
    accepts: (found) => numbers(found)[0] === 2 && (isOld ? numbers(found)[1] < 16 : numbers(found)[1] >= 27),
    debian: { suite: isOld ? "trixie" : "forky", package: "ntfy" },
    image: `binwiederhier/ntfy:v${wanted}`,
  };
}

/** Versions tests run on: an old and a new qBittorrent, and with `QBIT_SIDECARS_LONG=1` all that are supported. */
export function qbittorrentVersionsUnderTest(env = process.env): QbittorrentVersion[] {
  return env.QBIT_SIDECARS_LONG === "1" ? ["4.2.5", "4.5.2", "5.1.0", "5.3.0"] : ["4.5.2", "5.3.0"];
}

/** Debian's testing suite moves from 5.3.0 to 5.3.1 by itself; what tests look at stays within a minor release. */
function isSameRelease(found: string, wanted: string): boolean {
  const [major, minor] = numbers(wanted);
  return numbers(found)[0] === major && numbers(found)[1] === minor;
}

function numbers(version: string): [major: number, minor: number] {
  const [major = Number.NaN, minor = Number.NaN] = version.split(".").map(Number);
  return [major, minor];
}
