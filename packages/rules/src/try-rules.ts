import { declareSettings, qbitSettings, readCommandLine, setting } from "@qbit-sidecars/config";
import { chooseAuth, QbitClient } from "@qbit-sidecars/qbit-client";
import { readFile } from "node:fs/promises";
import { formatProblem } from "./compile/problem.ts";
import { loadRules } from "./load-rules.ts";
import type { ConditionExplanation } from "./plan/explain.ts";
import { ClientQbittorrent } from "./run/client-qbittorrent.ts";
import { type JobResult, runJob } from "./run/run-job.ts";

/** What the command gets of its process. */
export type TryRulesProcess = {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
};

const settings = () =>
  declareSettings({
    ...qbitSettings({ url: { default: "http://127.0.0.1:8080" } }),
    rules: setting.path({
      flag: "--rules",
      env: ["RULES_FILE"],
      default: "rules.yml",
      about: "The rules file.",
    }),
    strict: setting.toggle({
      flag: "--strict",
      env: [],
      default: true,
      about: "Refuse a file with any mistake.",
    }),
    context: setting.text({ flag: "--context", env: [], about: "Run as in this context." }),
    hash: setting.text({ flag: "--hash", env: [], about: "Only this torrent." }),
    trace: setting.toggle({
      flag: "--trace",
      env: [],
      default: false,
      about: "Tell of every condition what it found.",
    }),
  });

/**
 * `check`: is the file right? `plan`: what would it do to the torrents of a running qBittorrent? Never changes
 * anything. Returns the exit code: 0, 1 for wrong rules, 2 for a wrong command line.
 */
export async function tryRules({ argv, env, write }: TryRulesProcess): Promise<number> {
  const line = await readCommandLine(
    {
      name: "try-rules",
      version: "0.1.0",
      about: "Checks a rules file, and tells what it would do.",
      settings: settings(),
      commands: [
        { name: "check", about: "Is the file right?" },
        { name: "plan", about: "What would it do to the torrents of a running qBittorrent?" },
      ],
    },
    { argv, env },
  );
  if (line.kind === "exit") {
    write(line.stdout + line.stderr);
    return line.code;
  }
  const { config, command } = line;
  const text = await readText(config.rules);
  if (typeof text !== "string") {
    write(`reading ${config.rules}: ${text.wrong}\n`);
    return 1;
  }
  const loaded = loadRules(text, {
    file: config.rules,
    strict: config.strict,
  });
  const problems = loaded.ok ? loaded.ruleset.warnings : loaded.problems;
  for (const problem of problems) write(`${formatProblem(problem)}\n`);
  if (!loaded.ok) return 1;
  if (command !== "plan") {
    write(`${config.rules}: ${loaded.ruleset.rules.length} rules, no mistakes\n`);
    return 0;
  }
  const { qbitUser: username, qbitPass, qbitApiKey } = config;
  const auth = chooseAuth({ username, password: qbitPass?.reveal(), apiKey: qbitApiKey?.reveal() });
  using client = new QbitClient({
    url: config.qbitUrl,
    auth,
    timeoutMs: config.qbitTimeout,
    insecureSkipVerify: config.qbitInsecureSkipVerify,
    ca: config.qbitCaCertFile === undefined ? undefined : await readFile(config.qbitCaCertFile, "utf8"),
  });
  const job = { context: config.context, hash: config.hash, dryRun: true, trace: config.trace };
  const result = await runJob(job, { ruleset: loaded.ruleset, qbittorrent: new ClientQbittorrent(client) });
  write(report(result));
  return 0;
}

async function readText(path: string): Promise<string | { wrong: string }> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    return { wrong: code === "ENOENT" ? "no such file (ENOENT)" : `it cannot be read (${code})` };
  }
}

/** A plan as a person reads it. */
export function report({ entries, held, notReady, unsupported, failed, trace, counters }: JobResult): string {
  const lines = [
    ...entries.map(
      ({ name, rule, action, before, after, because }) =>
        `${name}\n  ${action}: ${JSON.stringify(before)} → ${JSON.stringify(after)}\n  rule ${JSON.stringify(rule)}: ${because.join("; ")}`,
    ),
    ...held.map(
      ({ name, rule, reason }) => `${name}\n  not deleted (rule ${JSON.stringify(rule)}): ${reason}`,
    ),
    ...notReady.map(({ hash, name, reasons }) => `${name ?? hash}\n  not ready: ${reasons.join("; ")}`),
    ...failed.map(({ name, reason }) => `${name}\n  not answered: ${reason}`),
    ...unsupported.map(({ rule, reason }) => `rule ${JSON.stringify(rule)} is left out: ${reason}`),
    ...(trace ?? []).flatMap(({ name, rules }) => [
      `${name}:`,
      ...rules.flatMap(({ rule, answer, conditions }) => [
        `  ${JSON.stringify(rule)}: ${answer}`,
        ...(conditions === undefined ? [] : outline(conditions, "    ")),
      ]),
    ]),
    `${counters.total_torrents} torrents, ${counters.rules_matched} matches, ${entries.length} changes; nothing was changed`,
  ];
  return `${lines.join("\n")}\n`;
}

function outline({ condition, answer, actual, items = [] }: ConditionExplanation, indent: string): string[] {
  const line = `${indent}${answer.padEnd(8)}${condition}${actual === undefined ? "" : `: ${actual}`}`;
  return [line, ...items.flatMap((item) => outline(item, `${indent}  `))];
}

if (import.meta.main) {
  process.exitCode = await tryRules({
    argv: process.argv.slice(2),
    // oxlint-disable-next-line node/no-process-env -- this file is a program when it is the one that is run
    env: process.env,
    write: (text) => void process.stdout.write(text),
  });
}
