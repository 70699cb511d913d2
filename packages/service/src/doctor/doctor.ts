import { Secret } from "@qbit-sidecars/config";
import type { Output } from "../process-like.ts";
import type { DoctorCheck, Verdict } from "./check.ts";
import { type Examined, runChecks, type RunChecksOptions } from "./run-checks.ts";

export type DoctorOptions = RunChecksOptions & {
  readonly name: string;
  readonly version: string;
  readonly checks: readonly DoctorCheck[];
  /** The app's settings: what is secret in them is taken out of every text. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly asJson: boolean;
  readonly stdout: Output;
};

/**
 * Makes the checks and tells what was found: a line each as they end, or one JSON object at the end:
 * `{ name, version, verdict, checks: [{ name, verdict, seen, todo? }] }`.
 *
 * @returns the exit code: 0 all is well, 1 there is a problem, 3 there is none but something could not be checked
 */
export async function runDoctor({
  name,
  version,
  checks,
  config,
  asJson,
  stdout,
  ...options
}: DoctorOptions) {
  const hide = hiding(config);
  const found: Examined[] = [];
  const width = Math.max(...checks.map((check) => check.name.length));
  if (!asJson)
    stdout.write(`${name} ${version}: ${checks.length} ${checks.length === 1 ? "check" : "checks"}\n\n`);
  for await (const examined of runChecks(checks, options)) {
    const safe = hidden(examined, hide);
    found.push(safe);
    if (!asJson) stdout.write(lineOf(safe, width));
  }
  const verdict = verdictOf(found);
  if (asJson) stdout.write(`${JSON.stringify({ name, version, verdict, checks: found }, undefined, 2)}\n`);
  else stdout.write(`\n${summaryOf(found)}\n`);
  return exitCodes[verdict];
}

const exitCodes: Readonly<Record<Verdict, number>> = { ok: 0, problem: 1, unknown: 3 };

const words: Readonly<Record<Verdict, string>> = { ok: "ok", problem: "PROBLEM", unknown: "unknown" };

function verdictOf(found: readonly Examined[]): Verdict {
  if (found.some(({ verdict }) => verdict === "problem")) return "problem";
  return found.some(({ verdict }) => verdict === "unknown") ? "unknown" : "ok";
}

function lineOf(examined: Examined, width: number): string {
  const { name, verdict, seen } = examined;
  const line = `${words[verdict].padEnd(7)}  ${name.padEnd(width)}  ${seen}\n`;
  if (examined.verdict === "ok") return line;
  return `${line}${" ".repeat(width + 11)}→ ${examined.todo}\n`;
}

function summaryOf(found: readonly Examined[]): string {
  const count = (wanted: Verdict) => found.filter(({ verdict }) => verdict === wanted).length;
  const [problems, unknowns] = [count("problem"), count("unknown")];
  const parts = [
    `${count("ok")} ok`,
    ...(problems === 0 ? [] : [`${problems} ${problems === 1 ? "problem" : "problems"}`]),
    ...(unknowns === 0 ? [] : [`${unknowns} could not be checked`]),
  ];
  return parts.join(", ");
}

const hidden = (examined: Examined, hide: (text: string) => string): Examined => {
  const seen = hide(examined.seen);
  return examined.verdict === "ok" ? { ...examined, seen } : { ...examined, seen, todo: hide(examined.todo) };
};

/** No check means to show a secret; this is for what an answer or an error quotes. Very short ones would hide words. */
function hiding(config: Readonly<Record<string, unknown>>): (text: string) => string {
  const secrets = Object.values(config)
    .filter((value) => value instanceof Secret)
    .flatMap((secret) => [secret.reveal(), encodeURIComponent(secret.reveal())])
    .filter((secret) => secret.length >= 4)
    .toSorted((a, b) => b.length - a.length);
  return (text) => secrets.reduce((shown, secret) => shown.replaceAll(secret, "***"), text);
}
