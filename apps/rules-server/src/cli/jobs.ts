import { type CommandContext, type ExitCode, writeJson } from "./command.ts";
import { asList, changesOf, mapping, outcomeLines, text } from "./job-text.ts";
import type { ServerAnswer } from "./server-client.ts";

type Ask = Parameters<CommandContext["server"]["ask"]>[0];

/** Asks, and shows the answer or the server's reason why not. */
async function show(
  context: CommandContext,
  ask: Ask,
  linesOf: (body: ServerAnswer["body"]) => readonly string[],
): Promise<ExitCode> {
  const { config, server, stdout, stderr } = context;
  const { status, body } = await server.ask(ask);
  if (config.json) writeJson(context, body);
  else if (status >= 400) stderr.write(`qbt-rules: ${String(body["message"] ?? body["error"])}\n`);
  else stdout.write(`${linesOf(body).join("\n")}\n`);
  return status >= 400 ? 1 : 0;
}

export async function listJobs(context: CommandContext): Promise<ExitCode> {
  const { statusFilter: status, context: name, limit, offset } = context.config;
  const query = { status, context: name, limit, offset };
  return await show(context, { method: "GET", path: "/api/jobs", query }, (body) => {
    const rows = asList(body["jobs"]).map((job) => {
      const { job_id: id, status: state, context: of, created_at: at } = mapping(job);
      return [id, state, of ?? "-", at].map(String);
    });
    if (rows.length === 0) return ["No jobs found"];
    return [
      ...table([["Job ID", "Status", "Context", "Created"], ...rows]),
      `${rows.length} of ${String(body["total"])} jobs`,
    ];
  });
}

export async function showJob(context: CommandContext): Promise<ExitCode> {
  const id = context.config.jobStatus ?? "";
  return await show(context, { method: "GET", path: `/api/jobs/${encodeURIComponent(id)}` }, (body) => {
    const facts = [
      "job_id",
      "status",
      "context",
      "hash",
      "created_at",
      "started_at",
      "completed_at",
      "waits_for",
    ];
    const known = facts.filter((name) => (body[name] ?? null) !== null);
    const isOver = !["pending", "processing"].includes(String(body["status"]));
    return [
      ...table(known.map((name) => [`${name}:`, String(body[name])])),
      ...(isOver ? [...outcomeLines(body), ...changesOf(body)] : []),
    ];
  });
}

export async function cancelJob(context: CommandContext): Promise<ExitCode> {
  const id = context.config.cancelJob ?? "";
  return await show(context, { method: "DELETE", path: `/api/jobs/${encodeURIComponent(id)}` }, () => [
    `✓ Job cancelled: ${id}`,
  ]);
}

export async function showStats(context: CommandContext): Promise<ExitCode> {
  return await show(context, { method: "GET", path: "/api/stats" }, (body) => {
    const { jobs, performance, queue, worker } = body;
    const times = mapping(performance);
    const { backend, depth } = mapping(queue);
    const { status, last_job_completed: last } = mapping(worker);
    return table([
      ...Object.entries(mapping(jobs)).map(([name, count]) => [`Jobs ${name}:`, String(count)]),
      ["Average execution time:", text(times["average_execution_time"] ?? "-")],
      ["Jobs per hour:", String(times["jobs_per_hour"])],
      ["Queue:", `${String(backend)}, ${String(depth)} waiting or running`],
      ["Worker:", `${String(status)}, last job completed ${text(last ?? "never")}`],
      ["Uptime:", String(body["uptime"])],
    ]);
  });
}

/** Rows in columns. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
