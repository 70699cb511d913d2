import {
  QbitBadRequestError,
  QbitConflictError,
  type QbitError,
  QbitNotFoundError,
  QbitRedirectError,
  QbitResponseError,
  QbitUnsupportedError,
} from "./errors.ts";
import type { HttpAnswer } from "./request.ts";
import { excerpt, isHtml } from "./text.ts";

/** Says in one sentence what a status other than 2xx, 401 and 403 means. `subject`: what the call named, if anything. */
export function statusError(
  answer: HttpAnswer,
  context: { doing: string; subject: string | undefined },
): QbitError {
  const { doing, subject } = context;
  const { status } = answer;
  const details = { status, excerpt: excerpt(answer.body) };
  const said = details.excerpt === "" || isHtml(answer) ? "" : `: ${details.excerpt}`;
  if (status === 404) {
    // 5.2+ says which 404 it is; before, only a call that names something can fail to find it.
    if (subject !== undefined && details.excerpt !== "Endpoint does not exist" && !isHtml(answer)) {
      return new QbitNotFoundError(`${doing}: no ${subject} of that name or hash`, details);
    }
    const message = `${doing}: there is no such endpoint (404): is the URL that of qBittorrent's Web UI, and is it new enough?`;
    return new QbitUnsupportedError(message);
  }
  if (status === 409) return new QbitConflictError(`${doing}: qBittorrent refuses (409)${said}`, details);
  if ([400, 405, 413, 415].includes(status)) {
    return new QbitBadRequestError(
      `${doing}: qBittorrent does not take the request (${status})${said}`,
      details,
    );
  }
  const retryAfterMs = retryAfter(answer.headers["retry-after"]);
  return new QbitResponseError(`${doing}: status ${status}${said}`, { ...details, retryAfterMs });
}

/** Names the right URL when the redirect is the usual one: to HTTPS, or to another path. */
export function redirectError(answer: HttpAnswer, doing: string, url: URL): QbitRedirectError {
  const target = URL.parse(answer.headers.location ?? "", url.href);
  const location = target === null ? undefined : `${target.origin}${target.pathname}`;
  const hint =
    location === undefined ? "" : ` to ${location}; set the URL that qBittorrent's Web UI really has`;
  return new QbitRedirectError(`${doing}: ${url.href} redirects${hint}`, { location });
}

/** A proxy that asks for a day does not know how long qBittorrent takes. */
const longestRetryAfterMs = 300_000;

function retryAfter(header: string | undefined): number | undefined {
  const seconds = Number(header);
  if (header === undefined || !Number.isFinite(seconds)) return undefined;
  return Math.min(Math.max(0, seconds * 1000), longestRetryAfterMs);
}
