import type { Json } from "./answers.ts";
import { type FakeState, textSetting } from "./state.ts";

/** Takes over what is due: settings can be accepted now and take effect later. */
export function applyDuePreferences(state: FakeState): void {
  while (state.pending[0] !== undefined && state.pending[0].dueAt <= state.now()) {
    const [{ changes }] = state.pending.splice(0, 1) as [FakeState["pending"][number]];
    applyPreferences(state, changes);
  }
}

/** `app/setPreferences`: unknown names are passed over, values are read as the type the setting has. */
export function applyPreferences(state: FakeState, asked: Record<string, Json>): void {
  const changes = { ...asked };
  settlePort(state, changes);
  settleRatios(state, changes);
  settleSpeeds(changes);
  if (!state.profile.has("addTrackersKept")) {
    // Up to 4.3.0 these two are read from every request, and are empty when it does not name them.
    changes["add_trackers_enabled"] ??= false;
    changes["add_trackers"] ??= "";
  }
  if (typeof changes["web_ui_password"] === "string") state.password = changes["web_ui_password"];
  const interfaceBefore = boundTo(state);
  for (const [name, value] of Object.entries(changes)) setOne(state, name, value);
  if (boundTo(state) !== interfaceBefore) state.isDeaf = false;
  forgetShown(state);
}

function setOne(state: FakeState, name: string, value: Json): void {
  const current = state.preferences[name];
  if (current === undefined) return;
  state.preferences[name] = asTypeOf(current, value);
}

function boundTo({ preferences }: FakeState): string {
  const { listen_port, current_network_interface, current_interface_address } = preferences;
  return JSON.stringify([listen_port, current_network_interface, current_interface_address]);
}

/**
 * From 4.4 on `random_port` is not stored: true means port 0 and wins over `listen_port`, and it reads as true while
 * the port is 0. An equal `listen_port` changes nothing: qBittorrent compares before it listens again.
 */
function settlePort({ profile }: FakeState, changes: Record<string, Json>): void {
  if (!profile.has("randomPortIsPortZero")) return;
  if (toBoolean(changes["random_port"] ?? false)) changes["listen_port"] = 0;
  delete changes["random_port"];
  if (changes["listen_port"] !== undefined) changes["random_port"] = toInteger(changes["listen_port"]) === 0;
}

const switches = {
  max_ratio: "max_ratio_enabled",
  max_seeding_time: "max_seeding_time_enabled",
  max_inactive_seeding_time: "max_inactive_seeding_time_enabled",
};

/** A limit is -1 while its switch is off. Before 5.2 it is read only together with its switch. */
function settleRatios({ profile, preferences }: FakeState, changes: Record<string, Json>): void {
  for (const [limit, isOn] of Object.entries(switches)) {
    if (preferences[limit] === undefined) continue;
    const switched = changes[isOn];
    const isSwitchNeeded = !profile.has("maxRatioWithoutSwitch");
    if (switched !== undefined && !toBoolean(switched)) changes[limit] = -1;
    else if (switched === undefined && isSwitchNeeded) delete changes[limit];
    else if (switched !== undefined && isSwitchNeeded) changes[limit] ??= 0;
    delete changes[isOn];
    if (changes[limit] !== undefined) changes[isOn] = Number(changes[limit]) >= 0;
  }
}

/** Kept in KiB/s. */
export function speedLimit(bytesPerSecond: number): number {
  if (bytesPerSecond <= 0) return 0;
  return Math.max(1, Math.floor(bytesPerSecond / 1024)) * 1024;
}

function settleSpeeds(changes: Record<string, Json>): void {
  for (const name of ["dl_limit", "up_limit", "alt_dl_limit", "alt_up_limit"]) {
    if (changes[name] !== undefined) changes[name] = speedLimit(toInteger(changes[name]));
  }
}

/** Conversions of Qt's QVariant. */
function asTypeOf(current: Json, value: Json): Json {
  if (typeof current === "boolean") return toBoolean(value);
  if (typeof current === "number") return toInteger(value);
  if (typeof current === "string") return typeof value === "object" ? "" : String(value);
  return value;
}

function toBoolean(value: Json): boolean {
  if (typeof value === "string") return !["", "0", "false"].includes(value.toLowerCase());
  return typeof value === "object" ? false : Boolean(value);
}

function toInteger(value: Json): number {
  if (typeof value === "object") return 0;
  const number = typeof value === "string" && !/^[+-]?\d+$/.test(value.trim()) ? 0 : Number(value);
  return Number.isNaN(number) ? 0 : number;
}

/** Limits of torrents are shown next to the global ones. */
function forgetShown(state: FakeState): void {
  state.isUnsettled = true;
  for (const torrent of state.torrents.values()) torrent.shown = undefined;
}

/** qBittorrent listens on nothing when its interface does not exist. */
export function isListening(state: FakeState): boolean {
  const name = textSetting(state, "current_network_interface");
  return !state.isDeaf && (name === "" || name in state.interfaces);
}
