import { facts, h, replace } from "./dom.ts";
import type { View, ViewParts } from "./view.ts";
import { badge, when } from "./words.ts";

/** How the server is, in words. */
export function healthView({ api, main }: ViewParts): View {
  const refresh = async (): Promise<void> => {
    const { status, errors = [], warnings, version, queue, worker, qbittorrent } = await api.health();
    replace(
      main,
      h("h1", {}, "Health ", badge(status)),
      ...list("Errors", errors),
      ...list("Warnings", warnings),
      facts({
        Version: version,
        Queue: `${queue.backend}, ${queue.pending_jobs ?? "?"} pending, ${queue.processing_jobs ?? "?"} running`,
        Worker: `${worker.status} (${worker.mode})`,
        "Last job": when(worker.last_job_completed),
        qBittorrent: qbittorrent.connected ? (qbittorrent.version ?? "connected") : qbittorrent.message,
      }),
    );
  };
  return { title: "Health", refresh };
}

function list(title: string, items: readonly string[]): HTMLElement[] {
  if (items.length === 0) return [];
  return [h("h2", {}, title), h("ul", {}, ...items.map((item) => h("li", {}, item)))];
}
