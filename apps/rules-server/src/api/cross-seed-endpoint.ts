import type { JobQueue, JobWish } from "@qbit-sidecars/jobs";
import * as z from "zod/mini";
import * as shapes from "./answers.ts";
import { badRequest } from "./api-error.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { queuedOf } from "./job-views.ts";
import { contextParam, delayParam, hashParam, toggleParam } from "./params.ts";

export type CrossSeedParts = {
  readonly queue: Pick<JobQueue, "enqueue">;
  /** Every job is a dry run. */
  readonly dryRun: boolean;
  /** How long a job waits when the request does not say. */
  readonly settleDelayMs: number;
};

const mostHashes = 500;

/**
 * What cross-seed 6 and 7 send to their `notificationWebhookUrls` (its src/pushNotifier.ts); more keys are none of our
 * business. `infoHashes` are those of the torrents that it found, not of the one that it searched for.
 */
const notification = z.looseObject({
  extra: z.looseObject({
    /** RESULTS, or TEST of `cross-seed test-notification`, which has nothing else. */
    event: z.string(),
    /** INJECTED when at least one is in the client now; else SAVED (a file somewhere), FAILURE and others. */
    result: z.optional(z.string()),
    infoHashes: z.optional(z.array(z.string()).check(z.maxLength(mostHashes))),
  }),
});

/** `POST /api/webhooks/cross-seed`: a job for each torrent that cross-seed has injected. */
export function crossSeedEndpoint({ queue, dryRun, settleDelayMs }: CrossSeedParts): Endpoint {
  return endpoint("POST /api/webhooks/cross-seed", {
    about:
      "For cross-seed's notificationWebhookUrls: queues a job for each torrent that it has injected. Other notifications are taken and do nothing.",
    takesBody: notification,
    params: {
      context: { ...contextParam, about: "Run the rules of this context; default cross_seed." },
      dry_run: toggleParam("Plan, and change nothing."),
      trace: toggleParam("Keep every condition's answer with the jobs."),
      delay: delayParam,
    },
    answers: { 202: { about: "Queued", schema: shapes.queuedJobs } },
    async answer({ params, body }) {
      const { context = "cross_seed", dry_run: wantsDryRun = false, trace = false, delay } = params;
      const wish: JobWish = {
        context,
        dryRun: dryRun || wantsDryRun,
        trace,
        delayMs: delay === undefined ? settleDelayMs : delay * 1000,
      };
      // Asked at the same time: one commit for all of them.
      const jobs = injectedIn(body).map(async (hash) => queuedOf(await queue.enqueue({ ...wish, hash })));
      return { status: 202, body: { jobs: await Promise.all(jobs) } };
    },
  });
}

function injectedIn(body: unknown): string[] {
  const read = notification.safeParse(body);
  if (!read.success)
    throw badRequest(
      `This is no notification of cross-seed: ${z.prettifyError(read.error).replaceAll(/\s+/g, " ")}`,
    );
  const { event, result, infoHashes = [] } = read.data.extra;
  const hashes = infoHashes.map((hash) => hashParam.read(hash, "infoHashes"));
  return event === "RESULTS" && result === "INJECTED" ? [...new Set(hashes)] : [];
}
