import { expect, test } from "vitest";
import type { CommandContext } from "./command.ts";
import { cancelJob, listJobs, showJob, showStats } from "./jobs.ts";
import type { ServerAnswer } from "./server-client.ts";

/** Runs a command against a server that gives one answer. */
async function run(
  command: (context: CommandContext) => Promise<number>,
  answer: ServerAnswer["body"],
  { status = 200, config = {} }: { status?: number; config?: object } = {},
) {
  let [out, err] = ["", ""];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what these commands read of it
  const context = {
    config: { json: false, ...config },
    server: { ask: async () => ({ status, body: answer }) },
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
  } as unknown as CommandContext;
  return { code: await command(context), out, err };
}

test("a list shows what each job is about, and how many there are", async () => {
  const jobs = [
    { job_id: "one", status: "pending", context: null, created_at: "2026-01-01" },
    { job_id: "two", status: "completed", context: "finished", created_at: "2026-01-02" },
  ];
  const { out, code } = await run(listJobs, { jobs, total: 7 });
  expect(out).toBe(
    [
      "Job ID  Status     Context   Created",
      "one     pending    -         2026-01-01",
      "two     completed  finished  2026-01-02",
      "2 of 7 jobs",
      "",
    ].join("\n"),
  );
  expect(code).toBe(0);
  expect((await run(listJobs, { jobs: [], total: 0 })).out).toBe("No jobs found\n");
});

test("a completed job shows what was done, what was not, and why", async () => {
  const { out } = await run(showJob, {
    job_id: "one",
    status: "completed",
    hash: null,
    result: {
      torrents_processed: 2,
      rules_matched: 1,
      actions_executed: 1,
      errors: 1,
      not_ready: "no files",
      note: "n",
    },
    details: {
      entries: [
        { name: "film", action: "add_tag", rule: "r", before: [], after: ["x"] },
        { name: "song", action: "stop", rule: "r", before: "up", after: undefined, error: "403" },
      ],
      held: [{ name: "kept", reason: "too many" }],
    },
  });
  expect(out.split("\n")).toEqual([
    "job_id:  one",
    "status:  completed",
    "✓ Job completed, but 1 actions failed",
    "  Torrents processed: 2",
    "  Rules matched: 1",
    "  Actions executed: 1",
    "  Not ready: no files",
    "  Note: n",
    '  add_tag film: [] → ["x"] (r)',
    "  stop song: up →  (r) FAILED: 403",
    "  not deleted kept: too many",
    "",
  ]);
});

test("a dry run says what would be done, a failed job its reason, and a waiting one what it waits for", async () => {
  const entries = [{ name: "film", action: "stop", rule: "r", before: 1, after: 0 }];
  const dry = { job_id: "1", status: "completed", result: null, dry_run: true, details: { entries } };
  expect((await run(showJob, dry)).out).toContain("  would stop film: 1 → 0 (r)");
  const failed = { job_id: "1", status: "failed", error: "no rules\nat all" };
  expect((await run(showJob, failed)).out).toContain("✗ Job failed: 1\n  no rules\n  at all\n");
  expect((await run(showJob, { ...failed, error: null })).out).toMatch(/✗ Job failed: 1\n$/u);
  const waits = { job_id: "1", status: "pending", waits_for: "its files" };
  expect((await run(showJob, waits)).out).toBe("job_id:     1\nstatus:     pending\nwaits_for:  its files\n");
});

test("the server's reason goes to stderr, and its whole answer to scripts", async () => {
  const refusal = { status: "error", message: "There is no such job" };
  const refused = await run(cancelJob, refusal, { status: 404, config: { cancelJob: "x" } });
  expect(refused).toEqual({ code: 1, out: "", err: "qbt-rules: There is no such job\n" });
  expect((await run(showJob, { error: "older" }, { status: 404 })).err).toBe("qbt-rules: older\n");
  const json = await run(showJob, refusal, { status: 404, config: { json: true } });
  expect([json.code, JSON.parse(json.out), json.err]).toEqual([1, refusal, ""]);
  expect((await run(cancelJob, {}, { config: { cancelJob: "x" } })).out).toBe("✓ Job cancelled: x\n");
});

test("figures of a server that has done nothing yet", async () => {
  const idle = {
    jobs: { total: 0 },
    performance: { average_execution_time: null, jobs_per_hour: 0 },
    queue: { backend: "sqlite", depth: 0 },
    worker: { status: "running", last_job_completed: null },
    uptime: "42s",
  };
  const { out } = await run(showStats, idle);
  expect(out).toContain("Average execution time:  -\n");
  expect(out).toContain("Worker:                  running, last job completed never\n");
  const busy = { ...idle, performance: { average_execution_time: "0.2s", jobs_per_hour: 3 } };
  expect((await run(showStats, busy)).out).toContain("Average execution time:  0.2s\n");
});
