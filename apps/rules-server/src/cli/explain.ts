import { type CommandContext, type ExitCode, writeJson } from "./command.ts";
import { changesOf, type JobBody, mapping, text } from "./job-text.ts";
import { finishedJob } from "./submit.ts";

/** `explain HASH`: what every rule and condition finds of one torrent, and what would be done. Changes nothing. */
export async function explain(context: CommandContext): Promise<ExitCode> {
  const { config, operands, server, stdout, stderr } = context;
  const hash = operands[0] ?? config.hash;
  if (hash === undefined) {
    stderr.write("qbt-rules: explain wants a torrent: qbt-rules explain HASH [--context NAME]\n");
    return 2;
  }
  const query = { context: config.context, hash, dry_run: true, trace: true, delay: 0 };
  const { status, body } = await server.ask({ method: "POST", path: "/api/execute", query });
  if (status !== 202) {
    stderr.write(`qbt-rules: ${String(body["message"])}\n`);
    return 1;
  }
  const job = await finishedJob(String(body["job_id"]), context);
  if (job === undefined) return 1;
  if (config.json) writeJson(context, job);
  else stdout.write(`${explanation(job, config.context).join("\n")}\n`);
  return job["status"] === "completed" && traced(job).length > 0 ? 0 : 1;
}

type Traced = { name: string; rules: { rule: string; answer: string; conditions?: Condition }[] };
type Condition = { condition: string; answer: string; actual?: string; items?: Condition[] };

function explanation(job: JobBody, context: string | undefined): string[] {
  const torrents = traced(job);
  if (torrents.length === 0) {
    const result = mapping(job["result"]);
    return [text(job["error"] ?? result["not_ready"] ?? result["note"] ?? "no torrent has this hash")];
  }
  if (torrents.every(({ rules }) => rules.length === 0)) return [noRule(context)];
  const changes = changesOf(job);
  return [
    ...torrents.flatMap(({ name, rules }) => [name, ...rules.flatMap(ruleLines)]),
    ...(changes.length === 0 ? ["Nothing would be changed."] : changes),
  ];
}

/** Most often the context was forgotten. */
function noRule(context: string | undefined): string {
  return context === undefined
    ? "No rule was looked at: each has a context. Name one, such as --context added; qbt-rules --list-rules has them"
    : `No rule was looked at: none is of the context ${context}; qbt-rules --list-rules has those there are`;
}

function ruleLines({ rule, answer, conditions }: Traced["rules"][number]): string[] {
  return [
    `  ${answer.padEnd(11)} ${rule}`,
    ...(conditions === undefined ? [] : conditionLines(conditions, "    ")),
  ];
}

function conditionLines({ condition, answer, actual, items = [] }: Condition, indent: string): string[] {
  const found = actual === undefined ? "" : `  is ${actual}`;
  const line = `${indent}${answer.padEnd(8)} ${condition}${found}`;
  return [line, ...items.flatMap((item) => conditionLines(item, `${indent}  `))];
}

function traced({ details }: JobBody): Traced[] {
  const { trace } = mapping(details);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the server of the same version keeps
  return Array.isArray(trace) ? (trace as Traced[]) : [];
}
