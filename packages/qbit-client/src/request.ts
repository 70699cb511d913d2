import { Agent as HttpAgent, type IncomingHttpHeaders } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import got, { type Request, RequestError, type RequestPromise, type Response } from "got";
import { networkError } from "./network-error.ts";
import { QbitResponseError } from "./errors.ts";
import { quietTurn } from "./quiet-turn.ts";

export interface TransportOptions {
  /** Where the Web UI is, sub-path included, without trailing slash. */
  url: URL;
  timeoutMs: number;
  /** PEM certificates that replace the system's roots. */
  ca?: string | undefined;
  insecureSkipVerify?: boolean | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
}

export interface HttpRequest {
  method: "GET" | "POST";
  /** Relative to the Web UI's URL: `api/v2/app/version`. */
  path: string;
  query?: URLSearchParams | undefined;
  body?: { contentType: string; bytes: string | Uint8Array } | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** What is being done, for messages: "reading the preferences". */
  doing: string;
  /** The table's name of the endpoint, for events. */
  endpoint: string;
  /** Sending it twice does no more than sending it once. */
  replayable: boolean;
  timeoutMs?: number | undefined;
  maxBytes?: number | undefined;
  signal?: AbortSignal | undefined;
  onReplay?: (() => void) | undefined;
  /**
   * Called for each try. What it returns gets the body of a good answer piece by piece, so that nobody holds all
   * of it; `false` for the first piece declines, and the body is kept after all.
   */
  take?: (() => Take) | undefined;
}

type Take = (piece: Buffer) => boolean;

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Empty when it was taken piece by piece. */
  body: Buffer;
  /** Size of the body, taken or not. */
  bytes: number;
}

/** 64 MiB: `torrents/info` of 50,000 torrents is 73 MB, which callers of such lists ask for by `maxBytes`. */
const defaultMaxBytes = 64 * 1024 * 1024;

/**
 * qBittorrent closes a kept-alive connection after 7 s without a request; closing first avoids sending a
 * request into a connection that is just being closed.
 */
const idleMs = 5000;

/**
 * Sends one request and returns whatever HTTP answer comes. Redirects are not followed, nothing is decoded.
 * Every failure is a {@link QbitError} made from scratch: got's errors carry the request's options, and with
 * them the password, the key or the cookie.
 */
export class Transport {
  readonly url: URL;
  readonly #options: TransportOptions;
  readonly #agents: { http: HttpAgent; https: HttpsAgent };
  #hasAnswered = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.url = options.url;
    const agentOptions = { keepAlive: true, timeout: idleMs, maxSockets: 8, maxFreeSockets: 4 };
    this.#agents = { http: new HttpAgent(agentOptions), https: new HttpsAgent(agentOptions) };
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    try {
      return await this.#exchange(request);
    } catch (error) {
      const failure = this.#explain(error, request);
      if (!request.replayable || !failure.broken) throw failure.error;
      request.onReplay?.();
      return await this.#exchange(request).catch((again: unknown) => {
        throw this.#explain(again, request).error;
      });
    }
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #exchange(request: HttpRequest): Promise<HttpAnswer> {
    const target = new URL(`${this.url.href.replace(/\/$/, "")}/${request.path}`);
    if (request.query !== undefined) target.search = request.query.toString();
    const maxBytes = request.maxBytes ?? defaultMaxBytes;
    const tooLarge = new AbortController();
    const signals = [tooLarge.signal, ...(request.signal === undefined ? [] : [request.signal])];
    const options = {
      method: request.method,
      ...this.#bodyOf(request),
      // A request that must not be sent twice gets a connection of its own: on a kept one that the server is
      // just closing, nobody can tell whether it arrived.
      agent: request.replayable ? this.#agents : ownConnection,
      https: {
        ...(this.#options.ca === undefined ? {} : { certificateAuthority: this.#options.ca }),
        rejectUnauthorized: this.#options.insecureSkipVerify !== true,
      },
      signal: signals.length === 1 ? tooLarge.signal : AbortSignal.any(signals),
      timeout: { request: request.timeoutMs ?? this.#options.timeoutMs },
      retry: { limit: 0 },
      followRedirect: false,
      throwHttpErrors: false,
      decompress: false,
      responseType: "buffer",
    } as const;
    const watch = ({ total, transferred }: { total?: number; transferred: number }) => {
      if (Math.max(total ?? 0, transferred) > maxBytes) tooLarge.abort(new AnswerTooLarge(maxBytes));
    };
    const answer = await (request.take === undefined
      ? wholeAnswer(got(target, options), watch)
      : takenAnswer(got.stream(target, options), { watch, take: request.take() }));
    this.#hasAnswered = true;
    return answer;
  }

  #bodyOf(request: HttpRequest): { headers: Record<string, string>; body?: string | Uint8Array } {
    const headers: Record<string, string> = {
      "user-agent": "qbit-client",
      ...this.#options.headers,
      ...request.headers,
    };
    if (request.body === undefined) return { headers };
    headers["content-type"] = request.body.contentType;
    return { headers, body: request.body.bytes };
  }

  /** `broken`: the connection was closed under the request, which happens to a kept-alive one by bad luck. */
  #explain(error: unknown, request: HttpRequest): { error: unknown; broken: boolean } {
    request.signal?.throwIfAborted();
    if (!(error instanceof RequestError)) return { error, broken: false };
    const cause = error.cause instanceof AnswerTooLarge ? error.cause : undefined;
    if (cause !== undefined || error.name === "AbortError") {
      const message = `${request.doing}: the answer is larger than ${request.maxBytes ?? defaultMaxBytes} bytes`;
      return { error: new QbitResponseError(message, { status: 0, excerpt: "" }), broken: false };
    }
    return networkError(error, request.doing, { url: this.url, hasAnswered: this.#hasAnswered });
  }
}

const ownConnection = { http: false, https: false } as const;

type Watch = (progress: { total?: number; transferred: number }) => void;

async function wholeAnswer(exchange: RequestPromise<Response>, watch: Watch): Promise<HttpAnswer> {
  void exchange.on("downloadProgress", watch);
  const { statusCode: status, headers, rawBody } = await exchange;
  const body = Buffer.from(rawBody.buffer, rawBody.byteOffset, rawBody.byteLength);
  return { status, headers, body, bytes: body.length };
}

/** Of work without a break: whoever asks this process for something meanwhile waits no longer. */
const mostMsOfWork = 2;

/** Work that always gave way would never end while clients keep asking: a tenth of the time is its own. */
const mostMsForOthers = 20;

/** Of one answer, all together: it has to be there before its time is over. */
const mostMsForOthersInAll = 2000;

async function takenAnswer(
  exchange: Request,
  { watch, take }: { watch: Watch; take: Take },
): Promise<HttpAnswer> {
  exchange.on("downloadProgress", watch);
  const kept: Buffer[] = [];
  let bytes = 0;
  let forOthersMs = mostMsForOthersInAll;
  let workBegan = performance.now();
  for await (const piece of exchange) {
    if (performance.now() - workBegan > mostMsOfWork) {
      const gaveWayAt = performance.now();
      await quietTurn(Math.min(mostMsForOthers, forOthersMs));
      workBegan = performance.now();
      forOthersMs -= workBegan - gaveWayAt;
    }
    if (!Buffer.isBuffer(piece)) continue;
    const isTaken = exchange.response?.statusCode === 200 && kept.length === 0 && take(piece);
    if (!isTaken) kept.push(piece);
    bytes += piece.length;
  }
  const { response } = exchange;
  return {
    status: response?.statusCode ?? 0,
    headers: response?.headers ?? {},
    body: Buffer.concat(kept),
    bytes,
  };
}

class AnswerTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`);
  }
}
