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

/** What everybody is answered, if with 403. */
export function dateRequest(): HttpRequest {
  return { ...knockRequest(), doing: "asking qBittorrent for its time" };
}

/** The `Authorization` header for a key. Keys are short and printable, but their files end in all kinds of ways. */
export function bearer(apiKey: string): { authorization: string } {
  if (/^[\x20-\x7e]*$/.test(apiKey)) return { authorization: `Bearer ${apiKey}` };
  throw new QbitAuthError(
    `${logInDoing}: the API key holds a line break or a character that cannot be sent; ` +
      "look for a trailing newline in its file",
  );
}

/** Callers come back at least this often: only who knocks can see that qBittorrent was restarted meanwhile. */
const longestRetryMs = 60_000;

export function refusedError(waitMs: number): QbitAuthError {
  const next = Number.isFinite(waitMs)
    ? `the next try is in ${inWords(waitMs)}`
    : "no more tries until qBittorrent restarts, because one more failure would ban this address";
  const message = `${logInDoing}: qBittorrent refused the user name or password; ${next}`;
  return new QbitAuthError(message, { retryAfterMs: Math.min(waitMs, longestRetryMs) });
}

export function bannedError(waitMs: number): QbitBannedError {
  const message = `${logInDoing}: qBittorrent has banned this address after too many failed logins; trying again in ${inWords(waitMs)}`;
  return new QbitBannedError(message, { retryAfterMs: Math.min(waitMs, longestRetryMs) });
}

/** Rounded up, and never in seconds: whoever tells equal messages once should not hear of each wait. */
function inWords(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  return minutes <= 120 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`;
}

export function notQbittorrent(answer: HttpAnswer, url: URL): QbitError {
  const message = `${logInDoing}: ${url.href} answers with a web page, not with qBittorrent's API`;
  return new QbitResponseError(message, { status: answer.status, excerpt: excerpt(answer.body) });
}
