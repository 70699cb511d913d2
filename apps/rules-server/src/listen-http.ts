import { listenError, type Logger } from "@qbit-sidecars/service";
import type { FastifyInstance } from "fastify";

const mostConnections = 4000;

/** Opens the listener of the API; disposing it lets answers under way end. @throws ListenError */
export async function listenHttp(
  app: FastifyInstance,
  { host, port, log }: { host: string; port: number; log: Logger },
): Promise<AsyncDisposable & { name: string; url: string }> {
  app.server.maxConnections = mostConnections;
  try {
    const url = await app.listen({ host, port });
    log.info(`API, page, health and metrics on ${url}`);
    return { name: "API listener", url, [Symbol.asyncDispose]: async () => await app.close() };
  } catch (cause) {
    const setting = "QBT_RULES_SERVER_HOST and QBT_RULES_SERVER_PORT";
    throw listenError(cause, { at: `${host}:${port}`, setting });
  }
}
