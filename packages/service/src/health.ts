import type { IncomingMessage, ServerResponse } from "node:http";

import type { Address } from "@qbit-sidecars/config";

import { messageWithCauses } from "./describe-error.ts";
import { HttpRoutes, splitTarget } from "./http-routes.ts";
import type { Method, Reply, RouteTarget } from "./http-routes.ts";
import { listen } from "./listen.ts";
import type { Listener } from "./listen.ts";
import type { Logger } from "./log.ts";
import type { Metrics } from "./metrics.ts";

/** The outcome of one check; `detail` is for people and says why it is not ok. */
export type CheckResult = { ok: boolean; detail: string };
export type Check = () => CheckResult | Promise<CheckResult>;

type HealthOptions = {
  name: string;
  version: string;
  metrics: Metrics;
  log: Logger;
  /** The service's; once aborted, /readyz says "stopping". */
  signal: AbortSignal;
};

/** A check of someone else's health gets this long, so that a hung neighbour cannot hang a probe. */
const CHECK_TIMEOUT_MS = 2000;

/**
 * What probes ask. Four answers on one small server:
 * - `/healthz` the process answers;
 * - `/livez` its own loops are turning. Fails only for what a restart would cure; other services' checks are
 *   in the body and never decide, because restarting a sidecar does not bring its neighbour back;
 * - `/readyz` it does its job now (converged); the body says why not;
 * - `/metrics` for Prometheus.
 */
export class Health {
  readonly #options: HealthOptions;
  readonly #startedAt = performance.now();
  readonly #alive = new Map<string, Check>();
  readonly #ready = new Map<string, Check>();
  readonly #dependencies = new Map<string, Check>();
  readonly #routes = new HttpRoutes();
  readonly #observe: (labels: { method: string; route: string; status: number }, ms: number) => void;

  constructor(options: HealthOptions) {
    this.#options = options;
    const latency = options.metrics.histogram({
      name: "http_request_duration_seconds",
      help: "Time to answer a request on the health listener.",
      labelNames: ["method", "route", "status"],
      buckets: [0.005, 0.05, 0.5, 5],
    });
    this.#observe = (labels, ms) => latency.observe(labels, ms / 1000);
    this.route("GET", "/healthz", () => this.#healthz());
    this.route("GET", "/livez", () => this.#livez());
    this.route("GET", "/readyz", () => this.#readyz());
    this.route("GET", "/metrics", () => this.#metrics());
  }

  /** Adds the health of another service to the body of /livez. Never decides its status. */
  dependency(name: string, check: Check): void {
    this.#dependencies.set(name, check);
  }

  /** Adds a check that decides /livez: something of this process's own that a restart would cure. */
  alive(name: string, check: Check): void {
    this.#alive.set(name, check);
  }

  /** Adds a check that decides /readyz. */
  ready(name: string, check: Check): void {
    this.#ready.set(name, check);
  }

  /** Adds a route of the app's own, such as GET /status. Throws when the route exists already. */
  route(method: Method, path: string, target: RouteTarget): void {
    this.#routes.add({ method, path, ...(typeof target === "function" ? { handler: target } : target) });
  }

  /**
   * Starts the listener. Rejects with a ListenError that names the setting when the port is taken.
   * `setting` is how the user sets the address; default "--health-addr or HEALTH_ADDR".
   */
  async listen(address: Address, options: { setting?: string } = {}): Promise<Listener> {
    const setting = options.setting ?? "--health-addr or HEALTH_ADDR";
    const listener = await listen({ name: "health listener", address, setting, handle: this.handle });
    this.#options.log.info(`health and metrics on ${listener.url}`);
    return listener;
  }

  /** Answers one request; also for an app that serves these paths on a listener of its own. Never rejects. */
  readonly handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const startedAt = performance.now();
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    await this.#answer(request, response, gone.signal);
    const { path } = splitTarget(request);
    const method = request.method ?? "GET";
    const labels = { method, route: this.#routes.label(path), status: response.statusCode };
    this.#observe(labels, performance.now() - startedAt);
  };

  async #answer(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    try {
      send(response, await this.#routes.answer(request, signal));
    } catch (error) {
      if (signal.aborted) return;
      this.#options.log.error({ err: error }, `answering ${request.method} ${splitTarget(request).path}`);
      send(response, { status: 500, body: { error: "internal error, see the log" } });
    }
  }

  #healthz(): Reply {
    const { name, version } = this.#options;
    const uptimeSeconds = Math.round((performance.now() - this.#startedAt) / 1000);
    return { body: { status: "ok", name, version, uptimeSeconds } };
  }

  async #livez(): Promise<Reply> {
    const [checks, dependencies] = await Promise.all([runAll(this.#alive), runAll(this.#dependencies)]);
    const ok = allOk(checks);
    return { status: ok ? 200 : 503, body: { status: ok ? "ok" : "failed", checks, dependencies } };
  }

  async #readyz(): Promise<Reply> {
    const checks = await runAll(this.#ready);
    if (this.#options.signal.aborted) checks["service"] = { ok: false, detail: "stopping" };
    const ok = allOk(checks);
    return { status: ok ? 200 : 503, body: { status: ok ? "ready" : "not ready", checks } };
  }

  async #metrics(): Promise<Reply> {
    const { registry } = this.#options.metrics;
    return { body: await registry.metrics(), headers: { "content-type": registry.contentType } };
  }
}

function send(response: ServerResponse, { status = 200, body, headers = {} }: Reply): void {
  const text = typeof body === "string" ? body : `${JSON.stringify(body)}\n`;
  const type = typeof body === "string" ? "text/plain; charset=utf-8" : "application/json; charset=utf-8";
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  response.end(text);
}

function allOk(checks: Record<string, CheckResult>): boolean {
  return Object.values(checks).every(({ ok }) => ok);
}

async function runAll(checks: ReadonlyMap<string, Check>): Promise<Record<string, CheckResult>> {
  const results = [...checks].map(async ([name, check]) => [name, await run(check)] as const);
  return Object.fromEntries(await Promise.all(results));
}

async function run(check: Check): Promise<CheckResult> {
  const { promise: late, resolve } = Promise.withResolvers<CheckResult>();
  const detail = `no answer within ${CHECK_TIMEOUT_MS / 1000} s`;
  const timer = setTimeout(() => resolve({ ok: false, detail }), CHECK_TIMEOUT_MS);
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return { ok: false, detail: messageWithCauses(error) };
  } finally {
    clearTimeout(timer);
  }
}
