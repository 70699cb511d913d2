import type { BlocklistRequest } from "../plan/operation.ts";
import type { OutsideRequest } from "./seams.ts";

type Send = (request: OutsideRequest) => Promise<{ status: number; body: string }>;
type Reached = BlocklistRequest & { readonly url: string; readonly apiKey: string };
type QueueItem = {
  readonly id: number;
  readonly downloadId?: string;
  readonly episodeId?: number;
  readonly movieId?: number;
};

const pageSize = 250;
const mostPages = 40;

/** Sonarr's and Radarr's API v3: what is not in the queue was dealt with already. */
export async function blocklist(request: Reached, hash: string, send: Send): Promise<void> {
  const items = await findInQueue(request, hash, send);
  for (const { id } of items) {
    const query = `removeFromClient=${request.removeFromClient}&blocklist=true&skipRedownload=true`;
    await call(request, { method: "DELETE", path: `queue/${id}?${query}` }, send);
  }
  if (!request.search || items.length === 0) return;
  const ids = (of: (item: QueueItem) => number | undefined) => [
    ...new Set(items.flatMap((item) => of(item) ?? [])),
  ];
  const command =
    request.service === "sonarr"
      ? { name: "EpisodeSearch", episodeIds: ids(({ episodeId }) => episodeId) }
      : { name: "MoviesSearch", movieIds: ids(({ movieId }) => movieId) };
  await call(request, { method: "POST", path: "command", body: JSON.stringify(command) }, send);
}

async function findInQueue(request: Reached, hash: string, send: Send): Promise<QueueItem[]> {
  const found: QueueItem[] = [];
  for (let page = 1; page <= mostPages; page += 1) {
    const body = await call(
      request,
      { method: "GET", path: `queue?page=${page}&pageSize=${pageSize}` },
      send,
    );
    const records = recordsOf(body);
    if (records === undefined)
      throw new Error(`blocklisting in ${request.service}: its queue was not understood`);
    // A season pack is one download and an item for each episode.
    found.push(...records.filter(({ downloadId }) => downloadId?.toUpperCase() === hash.toUpperCase()));
    if (records.length < pageSize) break;
  }
  return found;
}

async function call(
  { service, url, apiKey }: Reached,
  { method, path, body }: { method: OutsideRequest["method"]; path: string; body?: string },
  send: Send,
): Promise<string> {
  const headers = { "x-api-key": apiKey, ...(body !== undefined && { "content-type": "application/json" }) };
  const answer = await send({
    method,
    url: `${url.replace(/\/+$/, "")}/api/v3/${path}`,
    headers,
    ...(body !== undefined && { body }),
  });
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  throw new Error(`blocklisting in ${service}: the answer was ${answer.status}`);
}

function recordsOf(body: string): QueueItem[] | undefined {
  let data: unknown;
  try {
    data = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof data !== "object" || data === null || !("records" in data) || !Array.isArray(data.records))
    return undefined;
  return data.records.filter(isQueueItem);
}

function isQueueItem(value: unknown): value is QueueItem {
  return (
    typeof value === "object" &&
    value !== null &&
    "id" in value &&
    typeof value.id === "number" &&
    (!("downloadId" in value) || typeof value.downloadId === "string")
  );
}
