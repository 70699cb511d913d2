import got, { RequestError } from "got";
import { looseObject, number, optional, safeParse, string } from "zod/mini";
import type { Notice } from "./outbox.ts";

/** Base of everything that keeps a notice from arriving. Messages never hold token, password or the topic's URL. */
export abstract class NtfyError extends Error {
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number | undefined } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** No answer: refused, unknown name, TLS, timeout, reset. It may have been stored all the same. */
export class NtfyUnreachableError extends NtfyError {}

/** Something answered that is not ntfy, or ntfy itself failed: 5xx, a web page, a redirect. */
export class NtfyResponseError extends NtfyError {}

/**
 * 401, 403: who we are, or what we may do, mostly has to be changed by a person. After a 401 asked again every few
 * minutes: ntfy counts it, and shuts the door. A 403 costs nothing, and may be a mistake: for each request ntfy first
 * forgets who its address belongs to, and forbids what another request from there was just about to do
 * (server.go, maybeAuthenticate, 2.27).
 */
export class NtfyAuthError extends NtfyError {}

/** 429. */
export class NtfyLimitError extends NtfyError {
  readonly reason: "requests" | "quota";

  constructor(message: string, options: { reason: "requests" | "quota"; retryAfterMs?: number | undefined }) {
    super(message, options);
    this.reason = options.reason;
  }
}

/** 400, 413: this notice will never be taken as it is. */
export class NtfyRefusedError extends NtfyError {
  readonly code: number | undefined;

  constructor(message: string, code: number | undefined) {
    super(message);
    this.code = code;
  }
}

export type NtfyOptions = {
  /** Without a slash at the end. */
  server: string;
  token?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
  timeoutMs: number;
};

// Limits of ntfy 2.28 (title 1024 bytes, message 4096, JSON body 8192), with room for JSON's escapes.
const most = {
  titleBytes: 1000,
  messageBytes: 3500,
  plainMessageBytes: 500,
  clickBytes: 1000,
  answerBytes: 64 * 1024,
};

const authRetryMs = 5 * 60_000;

/** Publishes to one ntfy server, as JSON: a header can hold no title that is not Latin-1 (Node refuses it). */
export class Ntfy {
  readonly #options: NtfyOptions;
  #knowsSequences: boolean | undefined;

  constructor(options: NtfyOptions) {
    this.#options = options;
  }

  /** Whether the server updates in place (2.16 and later); undefined before the first answer. */
  get knowsSequences(): boolean | undefined {
    return this.#knowsSequences;
  }

  /** Makes the notice's request. @throws NtfyError, or the signal's reason */
  async send(notice: Notice, signal: AbortSignal): Promise<void> {
    await (notice.kind === "clear" ? this.#clear(notice, signal) : this.#publish(notice, signal));
  }

  /**
   * Asks what publishes nothing, for whoever looks for trouble; any status is an answer.
   *
   * @param path `v1/health`, `v1/account` (who we are to it; 401 when it knows better) or `<topic>/auth` (whether we
   *   may read it: 200 or 403), in ntfy 2.11 to 2.27 alike
   * @param asNobody shows no credentials: with wrong ones ntfy answers 401 to everything, its health included
   * @returns the answer's JSON, undefined when it is none, and its Date header
   * @throws NtfyError when there is no answer, or the signal's reason
   */
  async look(
    path: string,
    signal: AbortSignal,
    { asNobody = false }: { asNobody?: boolean } = {},
  ): Promise<{ status: number; json: unknown; date: string | undefined }> {
    const doing = "asking ntfy";
    const tooLong = new AbortController();
    const headers = asNobody ? {} : this.#authorization();
    const asked = { method: "GET", headers } as const;
    const { status, body, date } = await this.#ask(path, asked, { signal, tooLong, doing });
    return { status, json: parseJson(body), date };
  }

  async #publish(notice: Notice, signal: AbortSignal): Promise<void> {
    const json = publication(notice);
    const body = await this.#request("", { method: "POST", json }, signal);
    const answer = safeParse(publishAnswer(), parseJson(body));
    if (!answer.success) throw notNtfy("publishing to ntfy");
    // An old server ignores the field; one that knows it gives it back (there is no other way to ask without rights).
    this.#knowsSequences = answer.data.sequence_id === notice.sequence;
  }

  async #clear({ topic, sequence }: Notice, signal: AbortSignal): Promise<void> {
    if (this.#knowsSequences === false) return;
    try {
      await this.#request(`${topic}/${sequence}`, { method: "DELETE" }, signal);
    } catch (error) {
      // Servers before 2.16 have no such address, and no card that could be in the way.
      if (error instanceof NtfyRefusedError && error.code === 40_401) this.#knowsSequences = false;
      else throw error;
    }
  }

  async #request(path: string, options: Asked, signal: AbortSignal): Promise<string> {
    const doing = options.method === "DELETE" ? "taking a card off through ntfy" : "publishing to ntfy";
    const tooLong = new AbortController();
    const { status, body, retryAfter } = await this.#ask(path, options, { signal, tooLong, doing });
    if (status >= 200 && status < 300) return body;
    throw errorOf(status, { body, retryAfter, doing });
  }

  async #ask(
    path: string,
    options: Asked,
    { signal, tooLong, doing }: { signal: AbortSignal; tooLong: AbortController; doing: string },
  ): Promise<Answered> {
    const { server, timeoutMs } = this.#options;
    try {
      const request = got(`${server}/${path}`, {
        ...options,
        headers: {
          ...("headers" in options ? options.headers : this.#authorization()),
          "user-agent": "qbit-sidecars ntfy-sidecar",
        },
        signal: AbortSignal.any([signal, tooLong.signal]),
        timeout: { request: timeoutMs },
        retry: { limit: 0 },
        // The token must not follow, and a POST would become a GET.
        followRedirect: false,
        throwHttpErrors: false,
        responseType: "text",
      });
      void request.on("downloadProgress", ({ transferred }: { transferred: number }) => {
        if (transferred > most.answerBytes) tooLong.abort();
      });
      const response = await request;
      return {
        status: response.statusCode,
        body: response.body,
        retryAfter: response.headers["retry-after"],
        date: response.headers.date,
      };
    } catch (error) {
      signal.throwIfAborted();
      // No cause: got's error carries the whole request, with the token in its headers.
      const code = error instanceof RequestError ? error.code : "unknown error";
      if (tooLong.signal.aborted) throw notNtfy(doing);
      // oxlint-disable-next-line preserve-caught-error
      throw new NtfyUnreachableError(`${doing}: no answer from ${new URL(server).host} (${code})`);
    }
  }

  #authorization(): Record<string, string> {
    const { token, username, password = "" } = this.#options;
    if (token !== undefined) return { authorization: `Bearer ${token}` };
    if (username === undefined) return {};
    return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
  }
}

type Answered = {
  status: number;
  body: string;
  retryAfter: string | undefined;
  date: string | undefined;
};

type Asked =
  | { method: "GET"; headers: Record<string, string> }
  | { method: "DELETE" }
  | { method: "POST"; json: Record<string, unknown> };

const publishAnswer = () => looseObject({ id: string(), event: string(), sequence_id: optional(string()) });
const errorAnswer = () => looseObject({ code: number(), error: string() });

function publication({ topic, sequence, plain, ...notice }: Notice): Record<string, unknown> {
  const title = cut(notice.title ?? "", most.titleBytes);
  const message = cut(notice.message ?? "", plain ? most.plainMessageBytes : most.messageBytes);
  const base = { topic, sequence_id: sequence, title: plain ? cut(title, 200) : title, message };
  const click =
    notice.click !== undefined && Buffer.byteLength(notice.click) <= most.clickBytes
      ? notice.click
      : undefined;
  return plain
    ? { ...base, priority: notice.priority }
    : { ...base, tags: notice.tags, priority: notice.priority, ...(click === undefined ? {} : { click }) };
}

/** At most so many bytes of UTF-8, ended by … where something was cut, never within a character. */
export function cut(text: string, mostBytes: number): string {
  // A half of a surrogate pair cannot be sent.
  const whole = text.toWellFormed();
  if (Buffer.byteLength(whole) <= mostBytes) return whole;
  let bytes = Buffer.byteLength("…");
  let kept = "";
  for (const character of whole) {
    bytes += Buffer.byteLength(character);
    if (bytes > mostBytes) break;
    kept += character;
  }
  return `${kept}…`;
}

type Refused = { body: string; retryAfter: string | undefined; doing: string };

function errorOf(status: number, { body, retryAfter, doing }: Refused): NtfyError {
  const parsed = safeParse(errorAnswer(), parseJson(body));
  const code = parsed.success ? parsed.data.code : undefined;
  const said = parsed.success ? `${parsed.data.error.slice(0, 200)} (${code})` : `status ${status}`;
  const retryAfterMs =
    retryAfter !== undefined && /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined;
  if (status >= 300 && status < 400)
    return new NtfyResponseError(`${doing}: it redirects (${status}); is NTFY_SERVER right?`);
  if (status === 401 || status === 403) {
    return new NtfyAuthError(
      `${doing}: ${said}; check NTFY_TOKEN, or NTFY_USER and NTFY_PASS, and what they may write`,
      { retryAfterMs: status === 401 ? authRetryMs : undefined },
    );
  }
  if (status === 429) {
    // 42908: messages of the day. 42901, 42902 …: what refills soon.
    const reason = code === 42_908 ? "quota" : "requests";
    return new NtfyLimitError(`${doing}: ${said}`, { reason, retryAfterMs });
  }
  // Without ntfy's own words it may be a proxy that speaks.
  const final = code !== undefined && (status === 400 || status === 404 || status === 413);
  return final || status === 413
    ? new NtfyRefusedError(`${doing}: ${said}`, code)
    : new NtfyResponseError(`${doing}: ${said}${parsed.success ? "" : ", not in the way of ntfy"}`, {
        retryAfterMs,
      });
}

function notNtfy(doing: string): NtfyResponseError {
  return new NtfyResponseError(`${doing}: what answered is not ntfy; is NTFY_SERVER right?`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
