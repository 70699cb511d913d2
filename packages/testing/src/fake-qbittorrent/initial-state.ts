import { insert, newTorrent } from "./add-torrent.ts";
import { setApiKey } from "./api-app.ts";
import type { FakeQbittorrentOptions } from "./options.ts";
import { madeUpTorrent, pinFields } from "./made-up-torrents.ts";
import { defaultPreferences } from "./preference-defaults.ts";
import type { Profile } from "./profiles.ts";
import { type FakeState, logLine } from "./state.ts";

type Start = FakeQbittorrentOptions & { now: () => number; random: () => number };

/** A qBittorrent that was just started. */
export function initialState(profile: Profile, options: Start): FakeState {
  const { auth = "bypass", now, random } = options;
  const state: FakeState = {
    profile,
    now,
    random,
    webPort: 0,
    isHttps: options.https !== undefined,
    password: auth === "bypass" ? "adminadmin" : auth.password,
    apiKey: "",
    preferences: {
      ...defaultPreferences(profile),
      bypass_local_auth: auth === "bypass",
      web_ui_username: auth === "bypass" ? "admin" : auth.username,
      use_https: options.https !== undefined,
      ...options.preferences,
    },
    pending: [],
    applyDelayMs: options.applyDelayMs ?? 0,
    torrents: new Map(),
    queue: [],
    news: 0,
    isUnsettled: true,
    categories: new Map(),
    tags: new Set(),
    isDeaf: false,
    hasIncoming: false,
    isAltSpeed: false,
    transfer: {},
    interfaces: { lo: ["127.0.0.1", "::1"], eth0: ["10.0.0.2"] },
    disk: new Set(options.filesOnDisk ?? []),
    unwritable: ["/proc", "/sys", "/dev/null"],
    sessions: new Map(),
    failedLogins: new Map(),
    log: [],
  };
  setApiKey(state, options.apiKey ?? "");
  logLine(state, 1, `qBittorrent v${profile.app} started`);
  addTorrents(state, options.torrents ?? 0);
  return state;
}

function addTorrents(
  state: FakeState,
  torrents: number | NonNullable<FakeQbittorrentOptions["torrents"]>,
): void {
  const specs = typeof torrents === "number" ? Array.from({ length: torrents }, () => ({})) : torrents;
  for (const spec of specs) {
    const { metainfo, params, fields } = madeUpTorrent(state, spec);
    const torrent = newTorrent(state, metainfo, params);
    insert(state, torrent);
    pinFields(state, torrent, fields);
  }
}
