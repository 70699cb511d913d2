import got, { HTTPError, type OptionsInit, RequestError } from "got";
import { array, looseObject, nullish, number, safeParse } from "zod/mini";
import { type NoPort, type PortReading, toPort } from "./read-port.ts";

type ControlServerOptions = {
  url: string;
  /** Which port to take when there are several, from 1. */
  index: number;
  /** Short on purpose: some gluetun builds never answer while their UP command runs (gluetun #3366, #3416). */
  timeoutMs: number;
  apiKey?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
};

// Newest first. 3.41 moved the route and answers 301 on the old one; 3.40 and older know only the old one.
const routes = ["v1/portforward", "v1/openvpn/portforwarded"] as const;

const answerMaxBytes = 16 * 1024;

/**
 * Gluetun's control server, the second source of the forwarded port.
 * Answer shapes (gluetun internal/server, 3.38 to master): `{"port":N}`, `{"ports":[…]}` without `port` (3.39, 3.40 with
 * two or more), `{"port":first_or_0,"ports":[…]|null}`.
 */
export class ControlServer {
  readonly #options: ControlServerOptions;

  constructor(options: ControlServerOptions) {
    this.#options = options;
  }

  /** @throws only the signal's reason: a server that does not answer is a reading without a port */
  async read(signal: AbortSignal): Promise<PortReading> {
    let refusal: NoPort | undefined;
    for (const route of routes) {
      const answer = await this.#ask(route, signal);
      if (answer.kind !== "refused")
        return answer.kind === "none" ? answer : { ...answer, source: "control-server" };
      refusal ??= { kind: "none", why: answer.why, cleared: false };
    }
    return refusal ?? { kind: "none", why: "gluetun's control server was not asked", cleared: false };
  }

  async #ask(route: string, signal: AbortSignal): Promise<Answer> {
    try {
      const tooLong = new AbortController();
      const request = got(
        `${this.#options.url}/${route}`,
        this.#request(AbortSignal.any([signal, tooLong.signal])),
      );
      void request.on("downloadProgress", ({ transferred }) => {
        if (transferred > answerMaxBytes) tooLong.abort();
      });
      return readAnswer(await request.text(), this.#options.index);
    } catch (error) {
      signal.throwIfAborted();
      return explain(error, route);
    }
  }

  #request(signal: AbortSignal): OptionsInit {
    const { timeoutMs, apiKey, username, password } = this.#options;
    return {
      signal,
      timeout: { request: timeoutMs },
      retry: { limit: 0 },
      // The newest route is asked first, so a redirect leads nowhere of use, and the key must not follow one.
      followRedirect: false,
      headers: apiKey === undefined ? {} : { "x-api-key": apiKey },
      ...(username === undefined ? {} : { username, password: password ?? "" }),
    };
  }
}

/** `refused`: this route is not there or not ours to use; another one may be. */
type Answer = { kind: "port"; port: number } | NoPort | { kind: "refused"; why: string };

/** Reads one answer of the control server; exported for its tests. */
export function readAnswer(body: string, index: number): Answer {
  const parsed = body.length > answerMaxBytes ? undefined : safeParse(answerSchema(), parseJson(body));
  if (!parsed?.success) {
    return {
      kind: "none",
      why: "gluetun's control server answered something that is not its port answer",
      cleared: false,
    };
  }
  const { port, ports } = parsed.data;
  const held = ports && ports.length > 0 ? ports : [port ?? 0];
  const chosen = held[index - 1];
  if (chosen === undefined) {
    const why = `gluetun's control server names ${held.length} port(s) and PORT_INDEX is ${index}`;
    return { kind: "none", why, cleared: false };
  }
  return toPort(String(chosen), "gluetun's control server");
}

function answerSchema() {
  return looseObject({ port: nullish(number()), ports: nullish(array(number())) });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function explain(error: unknown, route: string): Answer {
  if (error instanceof HTTPError) {
    const { statusCode } = error.response;
    if (statusCode === 401 || statusCode === 403) {
      const why =
        `gluetun's control server refuses GET /${route} (${statusCode}): give port-sync GLUETUN_API_KEY, or user and ` +
        `password, of a role in gluetun's auth config whose routes hold "GET /${routes[0]}"`;
      return { kind: "refused", why };
    }
    if (statusCode === 404) {
      return {
        kind: "refused",
        why: `gluetun's control server knows no GET /${route} (404): is GLUETUN_ADDR right?`,
      };
    }
    return { kind: "none", why: `gluetun's control server answered ${statusCode}`, cleared: false };
  }
  const code = error instanceof RequestError ? error.code : "unknown error";
  return { kind: "none", why: `gluetun's control server does not answer (${code})`, cleared: false };
}
