import type { Service } from "@qbit-sidecars/service";

/**
 * Serves what names torrents, `GET /status` and `GET /plan`, to callers on this machine (or pod, or container) alone.
 * Probes and metrics, which name none, are for whoever reaches the health listener.
 */
export function serveStatus(
  { health }: Pick<Service, "health">,
  { status, plan }: { status: () => unknown; plan: () => unknown },
): void {
  health.route("GET", "/status", { loopbackOnly: true, handler: () => ({ body: status() }) });
  health.route("GET", "/plan", { loopbackOnly: true, handler: () => ({ body: plan() }) });
}
