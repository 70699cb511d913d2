import { type FakeState, textSetting } from "./state.ts";

type Headers = Readonly<Record<string, string | undefined>>;

/** A page of another site is asking: refused with 401. Clients that send neither Origin nor Referer are trusted. */
export function isCrossSite(state: FakeState, headers: Headers): boolean {
  if (state.preferences["web_ui_csrf_protection_enabled"] !== true) return false;
  const isProxied =
    !state.profile.has("proxyMustBeAllowed") || state.preferences["web_ui_reverse_proxy_enabled"] === true;
  const target = hostOf((isProxied ? headers["x-forwarded-host"] : undefined) ?? headers["host"] ?? "");
  const source = headers["origin"] || headers["referer"];
  if (source) return hostOf(source) !== target;
  const site = headers["sec-fetch-site"];
  return (
    state.profile.has("fetchMetadataChecked") && site !== undefined && !["same-origin", "none"].includes(site)
  );
}

function hostOf(url: string): string {
  const withScheme = url.includes("://") ? url : `http://${url}`;
  if (!URL.canParse(withScheme)) return "";
  const { hostname, port } = new URL(withScheme);
  return `${hostname}:${port}`;
}

/** The Host header's port, when there is one, must be the server's, and its name its address or on the list. */
export function isForeignHost(state: FakeState, headers: Headers): boolean {
  if (state.preferences["web_ui_host_header_validation_enabled"] !== true) return false;
  const [host = "", port = ""] = hostOf(headers["host"] ?? "").split(/:(?=\d*$)/);
  if (port !== "" && Number(port) !== state.webPort) return true;
  if (host === "127.0.0.1") return false;
  const names = textSetting(state, "web_ui_domain_list").split(";");
  return !names.some((name) => matchesWildcard(host, name.trim()));
}

function matchesWildcard(host: string, pattern: string): boolean {
  if (pattern === "") return false;
  const escaped = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${escaped}$`, "i").test(host);
}
