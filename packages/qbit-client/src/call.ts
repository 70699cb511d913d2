import { Answer } from "./answer.ts";
import type { Capabilities } from "./capabilities.ts";
import { type Endpoint, type EndpointName, endpoints } from "./endpoints.ts";
import { QbitUnsupportedError } from "./errors.ts";
import type { Clock } from "./clock.ts";
import { multipart, type Upload } from "./multipart.ts";
import type { HttpAnswer, HttpRequest } from "./request.ts";
import { redirectError, statusError } from "./status-error.ts";
import type { Session } from "./session.ts";

/** What every method takes last. */
export interface CallOptions {
  /** Ends the wait; the method rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Instead of the client's own. */
  timeoutMs?: number | undefined;
  /** Largest answer taken, in bytes; default 64 MiB. */
  maxBytes?: number | undefined;
}

export type Params = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Call extends CallOptions {
  params?: Params;
  /** Makes it a multipart form. */
  uploads?: readonly Upload[];
  /** Statuses beside 2xx that the caller understands. */
  accept?: readonly number[];
  /** See {@link HttpRequest.take}. */
  take?: HttpRequest["take"];
}

/** Beyond this a list of hashes goes into the body; every read endpoint answers POST, in all versions. */
const longestQuery = 4096;

/** Makes the calls of the endpoint table: checks the version, translates names, turns bad statuses into errors. */
export class Caller {
  readonly #session: Session;
  readonly capabilities: (options?: CallOptions) => Promise<Capabilities>;
  readonly clock: Clock;

  constructor(
    session: Session,
    context: { capabilities: (options?: CallOptions) => Promise<Capabilities>; clock: Clock },
  ) {
    this.#session = session;
    this.capabilities = context.capabilities;
    this.clock = context.clock;
  }

  /** Counts the sessions so far: what qBittorrent remembers per session (`rid`) is void when it changes. */
  get sessionNumber(): number {
    return this.#session.number;
  }

  async call(name: EndpointName, call: Call = {}): Promise<Answer> {
    const endpoint: Endpoint = endpoints[name];
    const path = await this.#pathFor(name, endpoint, call);
    const fields = fieldsOf(endpoint, call.params ?? {});
    const encoded = new URLSearchParams(fields).toString();
    const { signal, timeoutMs, maxBytes } = call;
    const doing = endpoint.about;
    const answer = await this.#session.send({
      ...(endpoint.method === "POST" || encoded.length > longestQuery
        ? {
            method: "POST",
            body: call.uploads === undefined ? formBody(encoded) : multipart(fields, call.uploads),
          }
        : { method: "GET", query: new URLSearchParams(encoded) }),
      path: `api/v2/${path}`,
      doing,
      endpoint: name,
      replayable: endpoint.once !== true,
      signal,
      timeoutMs,
      maxBytes,
      take: call.take,
    });
    this.#check(answer, endpoint, call);
    return new Answer(answer, doing);
  }

  /** Throws {@link QbitUnsupportedError} unless this qBittorrent's Web API is new enough for `what`. */
  async need(webApi: string, what: string, options: CallOptions): Promise<void> {
    const capabilities = await this.capabilities(options);
    if (!capabilities.atLeast(webApi)) throw unsupported(what, capabilities, webApi);
  }

  async #pathFor(name: EndpointName, endpoint: Endpoint, options: CallOptions): Promise<string> {
    if (endpoint.since === "2.0.0" && endpoint.until === undefined && endpoint.before === undefined)
      return name;
    const capabilities = await this.capabilities(options);
    if (!capabilities.supports(name)) throw unsupported(endpoint.about, capabilities, endpoint.since);
    const { before } = endpoint;
    return before !== undefined && !capabilities.atLeast(before.version) ? before.path : name;
  }

  #check(answer: HttpAnswer, endpoint: Endpoint, call: Call): void {
    const { status } = answer;
    if ((status >= 200 && status < 300) || call.accept?.includes(status) === true) return;
    const doing = endpoint.about;
    if (status >= 300 && status < 400) throw redirectError(answer, doing, this.#session.url);
    throw statusError(answer, { doing, subject: endpoint.subject });
  }
}

function unsupported(what: string, has: Capabilities, needs: string): QbitUnsupportedError {
  const message = `${what}: qBittorrent ${has.app} has Web API ${has.webApi}, this needs ${needs}`;
  return new QbitUnsupportedError(message);
}

/** Parameters as text, each also under its former name: every version ignores names it does not know. */
function fieldsOf(endpoint: Endpoint, params: Params): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    fields[name] = String(value);
    const formerly = endpoint.formerly?.[name];
    if (formerly !== undefined) fields[formerly] = String(value);
  }
  return fields;
}

function formBody(encoded: string): HttpRequest["body"] {
  return encoded === "" ? undefined : { contentType: "application/x-www-form-urlencoded", bytes: encoded };
}
