import type { Reading } from "./kind.ts";

/**
 * Reads a URL of one of the schemes. The value has no trailing slash and no fragment (people paste
 * `http://host:8080/#/torrents` from the browser); a sub-path, a query and credentials are kept.
 */
export function parseUrl(text: string, schemes: readonly string[]): Reading<string> {
  const scheme = /^([a-z][a-z\d+.-]*):\/\/[^/?#]/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return { ok: false, problem: "is not a URL" };
  if (!schemes.includes(scheme)) return { ok: false, problem: `is a ${scheme} URL` };
  const url = URL.parse(text);
  if (!url || url.hostname === "") return { ok: false, problem: "is not a URL" };
  url.hash = "";
  return { ok: true, value: url.search === "" ? url.href.replace(/\/+$/, "") : url.href };
}
