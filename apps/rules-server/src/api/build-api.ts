import type { Health, Logger, Metrics } from "@qbit-sidecars/service";
import { messageWithCauses } from "@qbit-sidecars/service";
import { QueueUnavailableError } from "@qbit-sidecars/jobs";
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import { randomUUID } from "node:crypto";
import type { ApiKeys } from "../api-keys.ts";
import { ApiError, badRequest } from "./api-error.ts";
import type { Endpoint } from "./endpoint.ts";
import { readParams } from "./params.ts";
import { givenIn, keyInBody } from "./given.ts";

export type ApiParts = {
  readonly endpoints: readonly Endpoint[];
  readonly keys: Pick<ApiKeys, "accept">;
  readonly health: Pick<Health, "handle">;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly version: string;
  /** More routes: the page, live events. */
  readonly extend?: (app: FastifyInstance, guard: Guard) => void;
};

/** Lets a request pass that shows a key; for routes that are no endpoints. @throws ApiError */
export type Guard = (request: FastifyRequest) => Promise<void>;

const largestBodyBytes = 64 * 1024;
const probes = ["/healthz", "/livez", "/readyz", "/metrics"];

/** The HTTP side without its listener: tests `inject` into it. */
export function buildApi(parts: ApiParts): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: largestBodyBytes,
    // Against clients that send a byte a minute: a whole request, and a connection that has none under way.
    requestTimeout: 10_000,
    connectionTimeout: 30_000,
    keepAliveTimeout: 65_000,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
    http: { maxHeaderSize: 16_384, headersTimeout: 5000, connectionsCheckingInterval: 2000 },
    frameworkErrors: (error, _request, reply) => void refuse(reply, badRequest(error.message)),
  });
  acceptForms(app);
  measure(app, parts);
  const accepts = async (request: FastifyRequest) => await parts.keys.accept(keyOf(request));
  const guard: Guard = async (request) => {
    if (!(await accepts(request))) throw unauthorized();
  };
  for (const endpoint of parts.endpoints) addEndpoint(app, endpoint, accepts);
  app.get("/api/openapi.json", async () => {
    // Loaded late: generating schemas takes memory that nobody else needs.
    const { openApi } = await import("./openapi.ts");
    return openApi(parts.endpoints, parts.version);
  });
  for (const path of probes)
    app.get(path, async (request, reply) => {
      reply.hijack();
      // With the slash at its end that people write, it is the same place here, but not there.
      request.raw.url = path;
      await parts.health.handle(request.raw, reply.raw);
    });
  parts.extend?.(app, guard);
  app.setErrorHandler<FastifyError>((error, _request, reply) => answerError(error, reply, parts.log));
  app.setNotFoundHandler((request, reply) => refuse(reply, notFound(request, parts.endpoints)));
  return app;
}

function addEndpoint(
  app: FastifyInstance,
  endpoint: Endpoint,
  accepts: (request: FastifyRequest) => Promise<boolean>,
): void {
  app.route<{ Params: { id?: string } }>({
    method: endpoint.method,
    url: endpoint.path.replace("{id}", ":id"),
    async handler(request, reply) {
      const isKnown = !(endpoint.isOpen && keyOf(request) === undefined) && (await accepts(request));
      if (!isKnown && !endpoint.isOpen) throw unauthorized();
      const params = readParams(endpoint.params, givenIn(request, endpoint.takesBody === true));
      const { body: given } = request;
      const { status, body } = await endpoint.answer({
        params,
        id: request.params.id ?? "",
        body: given,
        isKnown,
      });
      return await reply.code(status).header("cache-control", "no-store").send(body);
    },
  });
}

/** The header first: what stands in a URL stands in logs. */
function keyOf(request: FastifyRequest): string | undefined {
  const header = request.headers["x-api-key"];
  if (header !== undefined) return String(header);
  return givenIn(request, false).get("key")?.at(-1) ?? keyInBody(request.body);
}

function unauthorized(): ApiError {
  return new ApiError(401, "Invalid or missing API key", { "www-authenticate": "ApiKey" });
}

function acceptForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_, body, done) =>
    done(null, new URLSearchParams(String(body))),
  );
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_, body, done) => {
    try {
      done(null, body === "" ? undefined : JSON.parse(String(body)));
    } catch {
      done(badRequest("The body is not JSON"));
    }
  });
}

function answerError(error: FastifyError | ApiError, reply: FastifyReply, log: Logger): FastifyReply {
  if (error instanceof ApiError) return refuse(reply, error);
  if (error instanceof QueueUnavailableError) {
    log.error({ err: error }, "the queue cannot be reached");
    return refuse(reply, new ApiError(503, messageWithCauses(error), { "retry-after": "5" }));
  }
  const { statusCode = 500 } = error;
  if (statusCode >= 400 && statusCode < 500) return refuse(reply, new ApiError(statusCode, error.message));
  const traceId = randomUUID();
  log.error({ err: error, traceId }, "answering a request");
  return reply.code(500).send({
    error: "Internal Server Error",
    message: "An unexpected error occurred",
    trace_id: traceId,
  });
}

function refuse(reply: FastifyReply, error: ApiError): FastifyReply {
  return reply.code(error.status).headers(error.headers).send(error.body);
}

function notFound({ url, method }: FastifyRequest, endpoints: readonly Endpoint[]): ApiError {
  const [path = "/"] = url.split("?", 1);
  const there = endpoints.filter((each) =>
    new RegExp(`^${each.path.replace("{id}", "[^/]+")}/?$`).test(path),
  );
  if (there.length === 0) return new ApiError(404, `Nothing at ${path}`);
  const allow = there.map((each) => each.method).join(", ");
  return new ApiError(405, `${method} is not answered at ${path}; allowed: ${allow}`, { allow });
}

/** One line for each request, without its query, which may hold the key. */
function measure(app: FastifyInstance, { log, metrics }: ApiParts): void {
  const seconds = metrics.histogram({
    name: "qbt_rules_http_request_duration_seconds",
    help: "Time to answer a request of the API.",
    labelNames: ["method", "route", "status"],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2],
  });
  app.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "unknown";
    const { method, ip } = request;
    const { statusCode: status, elapsedTime: ms } = reply;
    seconds.observe({ method, route, status }, ms / 1000);
    const level = method === "GET" && status < 500 ? "debug" : "info";
    const [path] = request.url.split("?", 1);
    log[level]({ method, path, status, ms: Math.round(ms * 10) / 10, from: ip }, "request");
    done();
  });
}
