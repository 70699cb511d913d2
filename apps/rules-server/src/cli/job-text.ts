/** A job as the API answers it. */
export type JobBody = Readonly<Record<string, unknown>>;

type Entry = {
  name?: string;
  action?: string;
  rule?: string;
  before?: unknown;
  after?: unknown;
  error?: string;
};

/** How a job ended, for a person. */
export function outcomeLines({ job_id: id, status, error, result }: JobBody): string[] {
  if (status !== "completed") return [`✗ Job ${String(status)}: ${String(id)}`, ...lines(error)];
  const counters = mapping(result);
  const count = (name: string) => Number(counters[name] ?? 0);
  return [
    count("errors") > 0
      ? `✓ Job completed, but ${count("errors")} actions failed`
      : "✓ Job completed successfully",
    `  Torrents processed: ${count("torrents_processed")}`,
    `  Rules matched: ${count("rules_matched")}`,
    `  Actions executed: ${count("actions_executed")}`,
    ...(counters["not_ready"] === undefined ? [] : [`  Not ready: ${text(counters["not_ready"])}`]),
    ...(counters["note"] === undefined ? [] : [`  Note: ${text(counters["note"])}`]),
  ];
}

/** What was changed or would be, one line for each change. */
export function changesOf({ details, dry_run: isDryRun }: JobBody): string[] {
  const { entries, held } = mapping(details);
  const changes = asList(entries).map(
    ({ name, action, rule, before, after, error }) =>
      `  ${isDryRun === true ? "would " : ""}${action} ${name}: ${text(before)} → ${text(after)} (${rule})${error === undefined ? "" : ` FAILED: ${error}`}`,
  );
  const kept = asList(held).map(
    ({ name, reason }: Entry & { reason?: string }) => `  not deleted ${name}: ${reason}`,
  );
  return [...changes, ...kept];
}

function lines(error: unknown): string[] {
  return typeof error === "string" ? error.split("\n").map((line) => `  ${line}`) : [];
}

/** As it is shown to a person. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

export function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

export function asList(value: unknown): Entry[] {
  return Array.isArray(value) ? value.map((item: unknown) => mapping(item)) : [];
}
