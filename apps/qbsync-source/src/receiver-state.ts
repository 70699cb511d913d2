import type { Service } from "@qbit-sidecars/service";
import type { Link } from "./link.ts";

/** Tells, in `/readyz` and as a metric, whether the destination takes torrents from whoever reaches it. */
export function serveReceiverState(
  { health, metrics }: Pick<Service, "health" | "metrics">,
  link: Pick<Link, "terms">,
): void {
  const isOpen = (): boolean => link.terms?.capabilities.includes("open") === true;
  metrics.reading(
    "qbsync_receiver_open",
    "1 while the destination takes torrents from whoever reaches it, as it says itself.",
    () => Number(isOpen()),
  );
  health.ready("security", () => ({ ok: true, detail: detailOf(link.terms !== undefined, isOpen()) }));
}

function detailOf(isConnected: boolean, isOpen: boolean): string {
  if (!isConnected) return "the destination has not said yet who may send it torrents";
  return isOpen
    ? "open: whoever reaches the destination may send it torrents"
    : "the destination takes torrents only from those it knows";
}
