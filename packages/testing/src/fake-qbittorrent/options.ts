import type { Json } from "./answers.ts";
import type { TorrentSpec } from "./made-up-torrents.ts";
import type { FakeVersion } from "./profiles.ts";

export type FakeQbittorrentOptions = {
  /** Default "5.3.0". */
  version?: FakeVersion;
  /** Default "bypass": whoever comes from the loopback address needs no password. */
  auth?: "bypass" | { username: string; password: string };
  /** Bearer key, 5.2 and later. */
  apiKey?: string;
  /** Default: the system's clock. Latency and bans wait for it. */
  clock?: FakeClockLike;
  /** PEM. With `redirectFromHttp`, `httpUrl` answers every request with a redirect to `url`. */
  https?: { key: string; cert: string; redirectFromHttp?: boolean };
  /** The Web API lies below it, e.g. "/qbittorrent", as behind a reverse proxy. */
  basePath?: string;
  /** How many made-up torrents, or which. */
  torrents?: number | readonly TorrentSpec[];
  /** Absolute paths of files that are there already: a torrent that is added finds its own ones among them. */
  filesOnDisk?: readonly string[];
  /** Settings other than the version's defaults, under the names of `app/preferences`. */
  preferences?: Record<string, Json>;
  /** So long a change of settings takes to show. Default 0. */
  applyDelayMs?: number;
  /** Of the session ids, the API keys and the made-up torrents. Default 1. */
  seed?: number;
};

export type FakeClockLike = { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };
