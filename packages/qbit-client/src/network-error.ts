import type { RequestError } from "got";
import { type QbitError, QbitResponseError, QbitUnreachableError, type UnreachableReason } from "./errors.ts";

/**
 * Turns a failure of got into an error of ours that shares no object with it.
 * `hasAnswered`: the URL is known to be right, so the error does not suggest another one.
 */
export function networkError(
  error: RequestError,
  doing: string,
  { url, hasAnswered }: { url: URL; hasAnswered: boolean },
): { error: QbitError; broken: boolean } {
  const cause = Object.assign(new Error(error.message.slice(0, 300)), { code: error.code });
  // A plain port of qBittorrent takes the greeting for half a request, and hangs up after 8 s.
  const greetedInVain = /before secure TLS connection was established/.test(error.message) && !hasAnswered;
  const reason = greetedInVain ? "tls" : reasonOf(error.code, error.message);
  if (reason === "notHttp") {
    const message = `${doing}: what answers at ${url.origin} does not speak HTTP${url.protocol === "http:" ? " (perhaps HTTPS)" : ""}`;
    return { error: new QbitResponseError(message, { status: 0, excerpt: "", cause }), broken: false };
  }
  if (reason === "reset" && error.response !== undefined) {
    const message = `${doing}: the answer was cut off`;
    const status = error.response.statusCode;
    return { error: new QbitResponseError(message, { status, excerpt: "", cause }), broken: true };
  }
  const hint =
    reason === "reset" && url.protocol === "http:" && !hasAnswered ? "; perhaps it speaks HTTPS" : "";
  const message = `${doing}: ${explain(reason, error.code, url)}${hint}`;
  return { error: new QbitUnreachableError(message, { reason, cause }), broken: reason === "reset" };
}

function explain(reason: UnreachableReason, code: string, url: URL): string {
  const sentences: Record<UnreachableReason, string> = {
    refused: `nothing listens at ${url.origin} (connection refused)`,
    dns: `the name ${url.hostname} cannot be resolved (${code})`,
    timeout: `no answer from ${url.origin} in time`,
    tls: `the TLS connection to ${url.origin} failed (${code}${tlsHint(code)})`,
    reset: `the connection to ${url.origin} broke (${code})`,
    network: `${url.origin} cannot be reached (${code})`,
    other: `the request to ${url.origin} failed (${code})`,
  };
  return sentences[reason];
}

function tlsHint(code: string): string {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return ": the certificate is for another name";
  if (code === "EPROTO" || code === "ECONNRESET" || code.startsWith("ERR_SSL"))
    return ": perhaps it speaks plain HTTP";
  if (code.includes("SELF_SIGNED") || code.includes("LEAF_SIGNATURE") || code.includes("ISSUER")) {
    return ": the certificate is not signed by a known authority; give its CA";
  }
  return "";
}

const reasons: Readonly<Record<string, UnreachableReason>> = {
  ECONNREFUSED: "refused",
  ENOTFOUND: "dns",
  EAI_AGAIN: "dns",
  EAI_FAIL: "dns",
  EAI_NODATA: "dns",
  ETIMEDOUT: "timeout",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ECONNABORTED: "reset",
  ERR_HTTP_CONTENT_LENGTH_MISMATCH: "reset",
  EHOSTUNREACH: "network",
  EHOSTDOWN: "network",
  ENETUNREACH: "network",
  ENETDOWN: "network",
  EADDRNOTAVAIL: "network",
  EPROTO: "tls",
};

function reasonOf(code: string, message: string): UnreachableReason | "notHttp" {
  const known = reasons[code];
  if (known !== undefined) return known;
  if (code.startsWith("HPE_")) return "notHttp";
  if (/^ERR_(TLS|SSL|OSSL)|CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) return "tls";
  return /socket hang up/.test(message) ? "reset" : "other";
}
