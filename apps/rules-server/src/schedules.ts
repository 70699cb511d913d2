import { nearest, parseDuration, type ReadFile, readTextFile } from "@qbit-sidecars/config";
import type { Cron } from "croner";

/** When to run the rules of a context by itself. */
export type Schedule = {
  /** Where it stands, for messages. */
  readonly from: string;
  readonly cron: Cron;
  readonly pattern: string;
  readonly context: string | undefined;
  readonly dryRun: boolean;
  /** It starts up to this much later, at random: not every server at the same second. */
  readonly jitterMs: number;
};

/** Schedules that cannot be meant; one sentence for each. */
export class ScheduleError extends Error {
  override readonly name = "ScheduleError";
}

/** Loaded only where there are schedules. */
type Croner = typeof import("croner");

type Written = { readonly from: string; readonly fields: ReadonlyMap<string, string> };

const fieldNames = ["cron", "context", "timezone", "jitter", "dry_run"];

/**
 * Schedules of config.yml (`schedule:`, a list) and of the variables `QBT_RULES_SCHEDULE_<N>_CRON`, `_CONTEXT`,
 * `_TIMEZONE`, `_JITTER`, `_DRY_RUN`, each with its `_FILE`.
 * @throws ScheduleError
 */
export async function readSchedules(
  configFile: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  readFile: ReadFile = readTextFile,
): Promise<Schedule[]> {
  const written = [
    ...(configFile === undefined ? [] : await inFile(configFile, readFile)),
    ...(await inVariables(env, readFile)),
  ];
  if (written.length === 0) return [];
  const croner = await import("croner");
  const problems: string[] = [];
  const schedules = written.flatMap((each) => {
    const schedule = read(each, croner);
    if (typeof schedule !== "string") return [schedule];
    problems.push(`${each.from}: ${schedule}`);
    return [];
  });
  if (problems.length > 0) throw new ScheduleError(problems.join("\n"));
  return schedules;
}

/** The schedule, or what is wrong with it. */
function read({ from, fields }: Written, croner: Croner): Schedule | string {
  const unknown = [...fields.keys()].find((name) => !fieldNames.includes(name));
  if (unknown !== undefined) {
    const similar = nearest(unknown, fieldNames);
    return `there is no ${unknown}${similar === undefined ? "" : `; did you mean ${similar}?`}`;
  }
  const pattern = fields.get("cron");
  if (pattern === undefined) return "it has no cron expression";
  const timezone = fields.get("timezone");
  const jitter = parseDuration(fields.get("jitter") ?? "0", "s");
  if (!jitter.ok) return `jitter ${JSON.stringify(fields.get("jitter"))} ${jitter.problem}`;
  const dryRun = fields.get("dry_run") ?? "false";
  if (!/^(true|false)$/i.test(dryRun)) return "dry_run is neither true nor false";
  const cron = cronOf(pattern, timezone, croner);
  if (typeof cron === "string") return cron;
  return {
    from,
    cron,
    pattern,
    context: fields.get("context") || undefined,
    dryRun: dryRun.toLowerCase() === "true",
    jitterMs: jitter.value,
  };
}

function cronOf(pattern: string, timezone: string | undefined, croner: Croner): Cron | string {
  try {
    const cron = new croner.Cron(pattern, { paused: true, ...(timezone !== undefined && { timezone }) });
    return cron.nextRun() === null ? `cron ${JSON.stringify(pattern)} never comes` : cron;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `cron ${JSON.stringify(pattern)}${timezone === undefined ? "" : ` in ${timezone}`}: ${why}`;
  }
}

async function inVariables(
  env: Readonly<Record<string, string | undefined>>,
  readFile: ReadFile,
): Promise<Written[]> {
  const found = new Map<string, Map<string, string>>();
  for (const [variable, value = ""] of Object.entries(env)) {
    const [, number, word = ""] = /^QBT_RULES_SCHEDULE_(\d+)_([A-Z_]+)$/.exec(variable) ?? [];
    if (number === undefined || value === "") continue;
    const isFile = word.endsWith("_FILE");
    const field = word.replace(/_FILE$/, "").toLowerCase();
    const fields = found.get(number) ?? new Map<string, string>();
    found.set(number, fields);
    if (isFile) fields.set(field, await contentOf(variable, value, readFile));
    else if (!fields.has(field)) fields.set(field, value.trim());
  }
  return [...found]
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([number, fields]) => ({ from: `QBT_RULES_SCHEDULE_${number}`, fields }));
}

async function contentOf(variable: string, path: string, readFile: ReadFile): Promise<string> {
  const reading = await readFile(path, 64 * 1024);
  if (!reading.ok) throw new ScheduleError(`${variable} (${path}): the file ${reading.problem}`);
  return reading.text.trim();
}

async function inFile(path: string, readFile: ReadFile): Promise<Written[]> {
  const reading = await readFile(path, 1024 * 1024);
  if (!reading.ok) throw new ScheduleError(`${path}: the file ${reading.problem}`);
  if (!/^schedule:/m.test(reading.text)) return [];
  const { parse } = await import("yaml");
  const file: unknown = parse(reading.text);
  const list: unknown = isMapping(file) ? file["schedule"] : undefined;
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new ScheduleError(`${path}: schedule is no list`);
  return list.map((item: unknown, at) => {
    const from = `${path}: schedule, item ${at + 1}`;
    if (!isMapping(item)) throw new ScheduleError(`${from}: it is no mapping with a cron expression`);
    const texts = Object.entries(item).filter(([, value]) => value !== null);
    return { from, fields: new Map(texts.map(([name, value]) => [name, String(value)])) };
  });
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
