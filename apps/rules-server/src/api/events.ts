import type { JobQueue, QueueChange } from "@qbit-sidecars/jobs";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ApiError } from "./api-error.ts";
import type { Guard } from "./build-api.ts";

const mostStreams = 20;
const heartbeatMs = 15_000;
const mostUnreadBytes = 1024 * 1024;

/**
 * `GET /api/events`: changes of jobs as server-sent events, `event: job` with its id and status, `event: everything`
 * when something may have been missed. For `fetch`, which can send the key as a header; `EventSource` cannot.
 */
export function addEvents(app: FastifyInstance, guard: Guard, queue: Pick<JobQueue, "subscribe">): void {
  let streams = 0;
  app.get("/api/events", async (request, reply) => {
    await guard(request);
    if (streams >= mostStreams)
      throw new ApiError(503, `${mostStreams} others listen already`, { "retry-after": "10" });
    reply.hijack();
    // It may have gone while its key was looked at, and is not told of as gone again.
    if (request.raw.socket.destroyed) return;
    streams += 1;
    const { raw } = reply;
    raw.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    const tell = (text: string): void => {
      // Whoever does not read would have everything kept for it.
      if (raw.writableLength > mostUnreadBytes) raw.destroy();
      else raw.write(text);
    };
    tell(asEvent({ kind: "everything" }));
    const unsubscribe = queue.subscribe((change) => tell(asEvent(change)));
    const beat = setInterval(() => tell(": still here\n\n"), heartbeatMs);
    onceGone(request, () => {
      streams -= 1;
      unsubscribe();
      clearInterval(beat);
    });
  });
}

function asEvent(change: QueueChange): string {
  const data = change.kind === "job" ? { job_id: change.id, status: change.status } : {};
  return `event: ${change.kind}\ndata: ${JSON.stringify(data)}\n\n`;
}

function onceGone({ raw }: FastifyRequest, done: () => void): void {
  raw.socket.once("close", done);
}
