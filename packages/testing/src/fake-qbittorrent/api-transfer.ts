import { type Json, Refusal, json, text } from "./answers.ts";
import { integer } from "./params.ts";
import { isListening, speedLimit } from "./preferences.ts";
import type { Call, Routes } from "./route.ts";
import type { FakeState } from "./state.ts";

export const transferRoutes: Routes = {
  "transfer/info": { run: ({ state }) => json(transferInfo(state)) },
  "transfer/speedLimitsMode": { run: ({ state }) => text(state.isAltSpeed ? "1" : "0") },
  "transfer/toggleSpeedLimitsMode": {
    method: "POST",
    run: ({ state }) => void (state.isAltSpeed = !state.isAltSpeed),
  },
  "transfer/setSpeedLimitsMode": {
    method: "POST",
    since: "2.8.14",
    needs: ["mode"],
    run: setSpeedLimitsMode,
  },
  "transfer/uploadLimit": { run: ({ state }) => text(String(currentLimit(state, "up_limit"))) },
  "transfer/downloadLimit": { run: ({ state }) => text(String(currentLimit(state, "dl_limit"))) },
  "transfer/setUploadLimit": { method: "POST", needs: ["limit"], run: (call) => setLimit(call, "up_limit") },
  "transfer/setDownloadLimit": {
    method: "POST",
    needs: ["limit"],
    run: (call) => setLimit(call, "dl_limit"),
  },
  "transfer/banPeers": { method: "POST", since: "2.3.0", needs: ["peers"], run: () => {} },
};

export function transferInfo(state: FakeState): Record<string, Json> {
  const { profile, hasIncoming, transfer } = state;
  return {
    connection_status: isListening(state) ? (hasIncoming ? "connected" : "firewalled") : "disconnected",
    dht_nodes: 0,
    dl_info_data: 0,
    dl_info_speed: 0,
    dl_rate_limit: currentLimit(state, "dl_limit"),
    up_info_data: 0,
    up_info_speed: 0,
    up_rate_limit: currentLimit(state, "up_limit"),
    ...(profile.atLeast("2.11.0") && { last_external_address_v4: "", last_external_address_v6: "" }),
    ...pickKnown(transfer, transferKeys),
  };
}

const transferKeys =
  "connection_status dht_nodes dl_info_data dl_info_speed up_info_data up_info_speed".split(" ");

function pickKnown(values: Record<string, Json>, keys: readonly string[]): Record<string, Json> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => keys.includes(key)));
}

/** The limit in force: the alternative one while it is switched on. */
function currentLimit({ preferences, isAltSpeed }: FakeState, name: "up_limit" | "dl_limit"): number {
  return Number(preferences[isAltSpeed ? `alt_${name}` : name]);
}

function setLimit({ state, params }: Call, name: "up_limit" | "dl_limit"): void {
  const limit = integer(params["limit"]) ?? 0;
  state.preferences[state.isAltSpeed ? `alt_${name}` : name] = speedLimit(limit);
}

function setSpeedLimitsMode({ state, params }: Call): void {
  const mode = integer(params["mode"]);
  if (mode === undefined) throw new Refusal(400, "'mode': invalid argument");
  state.isAltSpeed = mode !== 0;
}
