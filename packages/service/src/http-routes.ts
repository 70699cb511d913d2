import type { IncomingMessage } from "node:http";

import { refuseForeign } from "./loopback-only.ts";

/** What a route is given. The body is read before the handler runs and is at most 64 KiB. */
export type RouteRequest = {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  body: string;
  /** Whether {@link RouteOptions.loopbackOnly} would let it in: for routes that tell others less. */
  isFromHere: boolean;
  /** Aborts when the client hangs up before the answer. */
  signal: AbortSignal;
};

/** What a route answers: a text goes out as it is, everything else as JSON. */
export type Reply = {
  /** Default 200. */
  status?: number;
  body: unknown;
  headers?: Readonly<Record<string, string>>;
};

export type RouteHandler = (request: RouteRequest) => Reply | Promise<Reply>;

export type RouteOptions = {
  /**
   * Answers only callers on this machine (or pod), and no web page: the peer must be a loopback address, Host
   * a loopback name (a rebound DNS name is none) and the request no browser's cross-site one.
   */
  loopbackOnly?: boolean;
};

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** A handler, or a handler with options. */
export type RouteTarget = RouteHandler | (RouteOptions & { handler: RouteHandler });

type Route = { method: Method; path: string; handler: RouteHandler } & RouteOptions;

const LARGEST_BODY_BYTES = 64 * 1024;

/** Exact paths to handlers: all that a health port needs. */
export class HttpRoutes {
  readonly #routes: Route[] = [];

  add(route: Route): void {
    if (this.#routes.some(({ method, path }) => method === route.method && path === route.path)) {
      throw new TypeError(`route ${route.method} ${route.path} is declared twice`);
    }
    this.#routes.push(route);
  }

  /** The path as a metric label: a declared one or "unknown", so that a scanner cannot grow the metrics. */
  label(path: string): string {
    return this.#routes.some((route) => route.path === path) ? path : "unknown";
  }

  /** Finds the route and lets it answer. Rejects when the handler does. */
  async answer(request: IncomingMessage, signal: AbortSignal): Promise<Reply> {
    const { path, query } = splitTarget(request);
    const atPath = this.#routes.filter((route) => route.path === path);
    if (atPath.length === 0) return this.#notFound(path);
    // HEAD is GET whose body Node leaves out.
    const method = request.method === "HEAD" ? "GET" : request.method;
    const route = atPath.find((each) => each.method === method);
    if (route === undefined) return methodNotAllowed(atPath);
    const refusal = refuseForeign(request);
    if (route.loopbackOnly === true && refusal !== undefined)
      return { status: 403, body: { error: refusal } };
    const body = await readBody(request);
    if (body === undefined) return tooLarge();
    const { headers } = request;
    const isFromHere = refusal === undefined;
    return await route.handler({ method: route.method, path, query, headers, body, isFromHere, signal });
  }

  #notFound(path: string): Reply {
    const paths = [...new Set(this.#routes.map((route) => route.path))].toSorted();
    return { status: 404, body: { error: `nothing at ${path}`, paths } };
  }
}

/** Splits by hand: `new URL` throws on request lines such as "GET //". */
export function splitTarget(request: IncomingMessage): { path: string; query: URLSearchParams } {
  const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
  return { path, query: new URLSearchParams(query) };
}

function methodNotAllowed(routes: readonly Route[]): Reply {
  const allowed = routes.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  const allow = allowed.join(", ");
  return { status: 405, body: { error: `allowed here: ${allow}` }, headers: { allow } };
}

function tooLarge(): Reply {
  const error = `the body is larger than ${LARGEST_BODY_BYTES} bytes`;
  return { status: 413, body: { error }, headers: { connection: "close" } };
}

/** The whole body, or undefined as soon as it is too large. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const incoming: AsyncIterable<Buffer> = request;
  for await (const chunk of incoming) {
    sizeBytes += chunk.length;
    if (sizeBytes > LARGEST_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
