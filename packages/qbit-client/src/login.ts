import type { Auth } from "./auth.ts";
import { QbitAuthError, QbitBannedError, type QbitError, QbitResponseError } from "./errors.ts";
import type { HttpAnswer, HttpRequest } from "./request.ts";
import { excerpt } from "./text.ts";

export const logInDoing = "logging in to qBittorrent";

/** Failures that happen before a request is sent: no credentials were shown. */
export const neverArrived: ReadonlySet<string> = new Set(["refused", "dns", "tls", "network"]);

export function loginRequest(auth: Auth & { kind: "password" }): HttpRequest {
  const form = new URLSearchParams({ username: auth.username, password: auth.password });
  return {
    method: "POST",
    path: "api/v2/auth/login",
    body: { contentType: "application/x-www-form-urlencoded", bytes: form.toString() },
    doing: logInDoing,
    endpoint: "auth/login",
    replayable: false,
  };
}

export function knockRequest(): HttpRequest {
  const path = "api/v2/app/webapiVersion";
  return { method: "GET", path, doing: logInDoing, endpoint: "app/webapiVersion", replayable: true };
}

export function refusedError(doing: string, waitMs: number): QbitAuthError {
  const next = Number.isFinite(waitMs)
    ? `the next try is in ${Math.ceil(waitMs / 1000)} s`
    : "no more tries until qBittorrent restarts, because one more failure would ban this address";
  const retryAfterMs = Number.isFinite(waitMs) ? waitMs : undefined;
  return new QbitAuthError(`${doing}: qBittorrent refused the user name or password; ${next}`, {
    retryAfterMs,
  });
}

export function bannedError(doing: string, retryAfterMs: number): QbitBannedError {
  const minutes = Math.ceil(retryAfterMs / 60_000);
  const message = `${doing}: qBittorrent has banned this address after too many failed logins; trying again in ${minutes} min`;
  return new QbitBannedError(message, { retryAfterMs });
}

export function notQbittorrent(answer: HttpAnswer, url: URL): QbitError {
  const message = `${logInDoing}: ${url.href} answers with a web page, not with qBittorrent's API`;
  return new QbitResponseError(message, { status: answer.status, excerpt: excerpt(answer.body) });
}
