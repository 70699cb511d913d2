import { type Answer, type Json, json, text } from "./answers.ts";
import { applyPreferences } from "./preferences.ts";
import type { Call, Routes } from "./route.ts";
import { withSlash } from "./show-torrent.ts";
import { type FakeState, textSetting } from "./state.ts";

export const appRoutes: Routes = {
  "app/version": { run: ({ state }) => text(`v${state.profile.app}`) },
  "app/webapiVersion": { run: ({ state }) => text(state.profile.webApi) },
  "app/buildInfo": { since: "2.3.0", run: ({ state }) => json(buildInfo(state)) },
  "app/preferences": { run: ({ state }) => json(state.preferences) },
  "app/setPreferences": { method: "POST", needs: ["json"], run: setPreferences },
  "app/defaultSavePath": { run: defaultSavePath },
  "app/networkInterfaceList": {
    since: "2.3.0",
    run: ({ state }) => json(Object.keys(state.interfaces).map((name) => ({ name, value: name }))),
  },
  "app/networkInterfaceAddressList": { since: "2.3.0", needs: ["iface"], run: interfaceAddresses },
  "app/shutdown": { method: "POST", run: () => {} },
  "app/rotateAPIKey": { method: "POST", since: "2.14.1", run: rotateApiKey },
  "app/deleteAPIKey": {
    method: "POST",
    since: "2.14.1",
    noContentSince: "2.14.1",
    run: ({ state }) => setApiKey(state, ""),
  },
};

function buildInfo({ profile }: FakeState): Record<string, Json> {
  const isOld = !profile.atLeast("2.8.4");
  return {
    bitness: 64,
    boost: isOld ? "1.71.0" : "1.88.0",
    libtorrent: isOld ? "1.2.9.0" : "2.0.11.0",
    openssl: isOld ? "1.1.1w" : "3.5.0",
    qt: isOld ? "5.12.5" : "6.8.2",
    zlib: isOld ? "1.2.11" : "1.3.1",
    ...(profile.atLeast("2.11.5") && { platform: "linux" }),
  };
}

/** Text that is no JSON changes nothing and is answered with 200. */
function setPreferences({ state, params }: Call): void {
  const changes = parseObject(params["json"] ?? "");
  if (state.applyDelayMs === 0) return applyPreferences(state, changes);
  state.pending.push({ dueAt: state.now() + state.applyDelayMs, changes });
}

function parseObject(value: string): Record<string, Json> {
  try {
    const parsed = JSON.parse(value) as Json;
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? { ...(parsed as Record<string, Json>) }
      : {};
  } catch {
    return {};
  }
}

function defaultSavePath({ state }: Call): Answer {
  const path = textSetting(state, "save_path");
  return text(state.profile.has("plainSavePath") ? path : withSlash(path));
}

function interfaceAddresses({ state, params }: Call): Answer {
  const name = params["iface"] ?? "";
  return json(name === "" ? Object.values(state.interfaces).flat() : (state.interfaces[name] ?? []));
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

function rotateApiKey({ state }: Call): Answer {
  const digit = () => alphabet[Math.floor(state.random() * alphabet.length)];
  setApiKey(state, `qbt_${Array.from({ length: 28 }, digit).join("")}`);
  return json({ apiKey: state.apiKey });
}

export function setApiKey(state: FakeState, key: string): void {
  state.apiKey = key;
  if ("web_ui_api_key" in state.preferences) state.preferences["web_ui_api_key"] = key;
}
