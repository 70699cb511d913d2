/** One call of qBittorrent's Web API, under `api/v2/`. */
export interface Endpoint {
  readonly method: "GET" | "POST";
  /** First Web API version, among qBittorrent's releases, that has the call. */
  readonly since: string;
  /** First Web API version that no longer has it. */
  readonly until?: string;
  /** What it was called before a version. */
  readonly before?: { readonly version: string; readonly path: string };
  /** Parameters that had another name in an older version: present → former. Both are sent. */
  readonly formerly?: Readonly<Record<string, string>>;
  /** What a 404 means that something is missing: "torrent". */
  readonly subject?: string;
  /** Doing it twice is not the same as doing it once: never repeated after a broken connection. */
  readonly once?: true;
  /** What is being done, for messages and the README. */
  readonly about: string;
}

/**
 * Every call this client makes. Versions are those of the Web API (`app/webapiVersion`) at the first release
 * with the call; what is older than 2.2.0 (qBittorrent 4.1.5) is not told apart.
 */
export const endpoints = {
  "auth/login": { method: "POST", since: "2.0.0", once: true, about: "logging in" },
  "auth/logout": { method: "POST", since: "2.0.0", about: "logging out" },
  "app/version": { method: "GET", since: "2.0.0", about: "reading qBittorrent's version" },
  "app/webapiVersion": { method: "GET", since: "2.0.0", about: "reading the Web API's version" },
  "app/preferences": { method: "GET", since: "2.0.0", about: "reading the preferences" },
  "app/setPreferences": { method: "POST", since: "2.0.0", about: "changing the preferences" },
  "transfer/info": { method: "GET", since: "2.0.0", about: "reading the transfer status" },
  "torrents/reannounce": { method: "POST", since: "2.1.0", about: "reannouncing torrents" },
} as const satisfies Readonly<Record<string, Endpoint>>;

export type EndpointName = keyof typeof endpoints;
