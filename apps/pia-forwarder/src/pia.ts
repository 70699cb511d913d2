import { looseObject, optional, safeParse, string } from "zod/mini";
import { type Grant, parseJson, readGrant } from "./grant.ts";
import {
  PiaBusyError,
  type PiaError,
  PiaExpiredError,
  PiaLoginError,
  PiaRateLimitError,
  PiaRefusedError,
  PiaResponseError,
  PiaSignatureError,
  PiaUnauthorizedError,
} from "./pia-errors.ts";

export type PiaAnswer = { status: number; body: string };

/** Sends requests to PIA and returns whatever HTTP answer comes. @throws PiaUnreachableError, PiaCertificateError */
export type PiaTransport = {
  /** GET on port 19999 of a gateway. */
  askGateway(
    request: { gateway: string; path: string; query?: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<PiaAnswer>;
  /** POST of a form to the token endpoint. */
  askToken(form: Readonly<Record<string, string>>, signal: AbortSignal): Promise<PiaAnswer>;
};

export type Credentials = { username: string; password: string };

/**
 * PIA's API for forwarded ports, as in pia-foss/manual-connections (get_token.sh, port_forwarding.sh). Of an answer only
 * `status` says whether it went well; errors come with any HTTP status, 200 included, and with an empty `status`.
 */
export class Pia {
  readonly #transport: PiaTransport;
  readonly #now: () => number;

  constructor(transport: PiaTransport, now: () => number) {
    this.#transport = transport;
    this.#now = now;
  }

  /** Logs in. @returns a token, good for 24 hours */
  async token({ username, password }: Credentials, signal: AbortSignal): Promise<string> {
    const answer = await this.#transport.askToken({ username, password }, signal);
    const { token, message, code } = read(answer);
    if (isSuccess(answer) && token !== undefined && token !== "") return token;
    const doing = "getting a token from PIA";
    const words = `${code ?? ""} ${message ?? ""}`;
    if (answer.status === 429 || /too.?many|try again later/i.test(words)) throw tooMany(doing);
    if (isClientError(answer) && answer.status !== 404 && answer.status !== 408) {
      throw new PiaLoginError(`${doing}: it refuses the user name and password (${answer.status})`);
    }
    throw unusable(doing, answer);
  }

  /** Gets the signed promise of a port. */
  async getSignature(gateway: string, token: string, signal: AbortSignal): Promise<Grant> {
    const request = { gateway, path: "/getSignature", query: { token } };
    const answer = await this.#transport.askGateway(request, signal);
    const doing = `getting a port from PIA's gateway ${gateway}`;
    const { status, payload, signature, message = "" } = read(answer);
    if (status === "OK" && payload !== undefined && signature !== undefined) {
      const grant = readGrant(payload, signature, this.#now());
      if (grant !== undefined) return grant;
    }
    if (answer.status === 401 || /unauthori[sz]ed|token/i.test(message)) {
      throw new PiaUnauthorizedError(
        `${doing}: it does not accept the token (${quoted(message)}); either the token is old, or this is not the ` +
          "gateway of the tunnel that is up",
      );
    }
    throw otherwise(doing, answer, message);
  }

  /** Makes the gateway forward the port, for the next 15 minutes. */
  async bindPort(gateway: string, { payload, signature, port }: Grant, signal: AbortSignal): Promise<void> {
    const request = { gateway, path: "/bindPort", query: { payload, signature } };
    const answer = await this.#transport.askGateway(request, signal);
    const { status, message = "" } = read(answer);
    if (status === "OK" && isSuccess(answer)) return;
    const doing = `binding port ${port} at PIA's gateway ${gateway}`;
    if (/expired/i.test(message)) throw new PiaExpiredError(`${doing}: it has expired`);
    if (/signature/i.test(message)) throw new PiaSignatureError(`${doing}: PIA calls its signature bad`);
    if (answer.status === 409 || /busy/i.test(message)) {
      throw new PiaBusyError(
        `${doing}: somebody else has it on this server; if that goes on, connect to another one`,
      );
    }
    if (answer.status === 401 || /unauthori[sz]ed/i.test(message)) {
      throw new PiaUnauthorizedError(`${doing}: it refuses this client (${quoted(message)})`);
    }
    throw otherwise(doing, answer, message);
  }

  /** Whether something answers there that the transport takes for PIA's gateway. */
  async ping(gateway: string, signal: AbortSignal): Promise<void> {
    await this.#transport.askGateway({ gateway, path: "/ping" }, signal);
  }
}

type Read = Partial<Record<"status" | "message" | "code" | "token" | "payload" | "signature", string>>;

function read({ body }: PiaAnswer): Read {
  const parsed = safeParse(answerSchema(), parseJson(body));
  if (!parsed.success) return {};
  const { status, message, code, token, payload, signature } = parsed.data;
  return Object.fromEntries(
    Object.entries({ status, message, code, token, payload, signature }).filter(
      ([, value]) => value !== undefined,
    ),
  );
}

function answerSchema() {
  const text = optional(string());
  return looseObject({
    status: text,
    message: text,
    code: text,
    token: text,
    payload: text,
    signature: text,
  });
}

function otherwise(doing: string, answer: PiaAnswer, message: string): PiaError {
  if (answer.status === 429 || /too.?many|try again later/i.test(message)) return tooMany(doing);
  const isSaid = parseJson(answer.body) !== undefined && answer.status < 500 && !isRedirect(answer);
  if (isSaid) return new PiaRefusedError(`${doing}: it says no (${answer.status}, ${quoted(message)})`);
  return unusable(doing, answer);
}

function tooMany(doing: string): PiaRateLimitError {
  return new PiaRateLimitError(`${doing}: too many attempts, PIA wants to be left alone for a while`);
}

/** The body stays out of the message: nobody knows what of the request a proxy repeats in its error page. */
function unusable(doing: string, { status, body }: PiaAnswer): PiaResponseError {
  const what = body.trim() === "" ? "nothing" : `${body.length} characters that are not PIA's answer`;
  return new PiaResponseError(`${doing}: status ${status} and ${what}`);
}

/** PIA's words, short, and only those that can be words: a token or payload is longer than any of them. */
function quoted(message: string): string {
  const words = message.replaceAll(/[^\s"]{33,}/g, "…").slice(0, 120);
  return words === "" ? "without a word" : JSON.stringify(words);
}

function isSuccess({ status }: PiaAnswer): boolean {
  return status >= 200 && status < 300;
}

function isRedirect({ status }: PiaAnswer): boolean {
  return status >= 300 && status < 400;
}

function isClientError({ status }: PiaAnswer): boolean {
  return status >= 400 && status < 500;
}
