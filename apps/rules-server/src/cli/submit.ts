import type { CommandContext, ExitCode } from "./command.ts";
import { writeJson } from "./command.ts";
import { changesOf, type JobBody, outcomeLines, text } from "./job-text.ts";

const soonestMs = 50;
const latestMs = 1000;

/** Queues a job, and waits for it with `--wait`. */
export async function submit(context: CommandContext): Promise<ExitCode> {
  const { config, server, stdout, stderr } = context;
  const { context: name, hash, dryRun, trace, json, wait } = config;
  const query = {
    context: name,
    hash,
    dry_run: dryRun ? true : undefined,
    trace: trace ? true : undefined,
  };
  if (!json) {
    stdout.write(`Submitting job to ${server.url}\n`);
    if (name !== undefined) stdout.write(`  Context: ${name}\n`);
    if (hash !== undefined) stdout.write(`  Hash: ${hash}\n`);
    if (dryRun) stdout.write("  Dry run: nothing will be changed\n");
  }
  const { status, body } = await server.ask({ method: "POST", path: "/api/execute", query });
  if (status !== 202) {
    if (json) writeJson(context, body);
    else stderr.write(`qbt-rules: ${String(body["message"])}\n`);
    return 1;
  }
  if (!wait) {
    if (json) writeJson(context, body);
    else stdout.write(queuedText(body));
    return 0;
  }
  if (!json) stdout.write(queuedText(body));
  const job = await finishedJob(String(body["job_id"]), context);
  if (job === undefined) return 1;
  if (json) writeJson(context, job);
  else stdout.write(`${[...outcomeLines(job), ...changesOf(job)].join("\n")}\n`);
  return job["status"] === "completed" ? 0 : 1;
}

function queuedText({ job_id: id, status, queued_at: at, deduplicated }: JobBody): string {
  const known = deduplicated === true ? " (an equal one was waiting already)" : "";
  return `✓ Job queued: ${String(id)}${known}\n  Status: ${String(status)}\n  Queued at: ${String(at)}\n`;
}

/** Asks ever more slowly until the job is over. Undefined: it took too long, which was told. */
export async function finishedJob(id: string, context: CommandContext): Promise<JobBody | undefined> {
  const { config, server, sleep, monotonic, stderr } = context;
  const end = monotonic() + config.waitTimeout;
  let told = "";
  for (let delayMs = soonestMs; ; delayMs = Math.min(latestMs, delayMs * 1.5)) {
    const { body } = await server.ask({ method: "GET", path: `/api/jobs/${encodeURIComponent(id)}` });
    const status = String(body["status"]);
    if (!["pending", "processing"].includes(status)) return body;
    const waits = body["waits_for"] === null ? "" : `: ${text(body["waits_for"])}`;
    if (told !== status + waits && stderr.isTTY === true) stderr.write(`  … ${status}${waits}\n`);
    told = status + waits;
    if (monotonic() >= end) {
      if (config.json) writeJson(context, body);
      else stderr.write(`qbt-rules: job ${id} is still ${status} after ${config.waitTimeout / 1000} s\n`);
      return undefined;
    }
    await sleep(Math.min(delayMs, Math.max(1, end - monotonic())));
  }
}
