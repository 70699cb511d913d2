import { pino } from "pino";
import type { Logger } from "pino";

import { type DescribedError, describeError } from "./describe-error.ts";
import type { Output } from "./process-like.ts";

export type { Logger };

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** `auto` is pretty on a terminal and JSON everywhere else. */
export type LogFormat = "auto" | "json" | "pretty";

export type LogOptions = {
  /** The program's name; appears as `app` in every line. */
  name: string;
  level: LogLevel;
  format: LogFormat;
  output: Output;
  /** Colours in pretty lines. Default: when the output is a terminal. */
  color?: boolean;
};

/** The log: one JSON object (or one pretty line) for each event, written before the call returns. */
export async function createLog(options: LogOptions): Promise<Logger> {
  const { name, level, format, output } = options;
  const pretty = format === "pretty" || (format === "auto" && output.isTTY === true);
  return pino(
    {
      level,
      base: { app: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    pretty ? await prettyOutput(output, options.color ?? output.isTTY === true) : output,
  );
}

/**
 * pino-pretty in this thread: pino's own transports start a worker thread from a file of their package, and
 * an app is bundled into a single file. Loaded only here, since nobody needs it in a container.
 */
async function prettyOutput(output: Output, colorize: boolean): Promise<Output> {
  const { prettyFactory } = await import("pino-pretty");
  const pretty = prettyFactory({
    colorize,
    singleLine: true,
    ignore: "app,settings",
    translateTime: "SYS:HH:MM:ss.l",
    customPrettifiers: { err: prettyError },
    messageFormat: (line, messageKey) => settingsForPeople(line["settings"]) ?? textOf(line[messageKey]),
  });
  return { write: (line) => output.write(pretty(line)) };
}

const textOf = (message: unknown): string => (typeof message === "string" ? message : "");

/** The line that tells all settings is for machines; somebody at a terminal looks for what was set, and by whom. */
function settingsForPeople(settings: unknown): string | undefined {
  if (typeof settings !== "object" || settings === null) return undefined;
  const set = Object.entries(settings).filter(([, value]) => !String(value).endsWith("(default)"));
  if (set.length === 0) return "settings: all are the defaults (--print-config shows them)";
  const told = set.map(([name, value]) => `${name} ${String(value)}`).join(", ");
  return `settings, where not the default (--print-config has all): ${told}`;
}

/** @param err as `describeError` has made it */
function prettyError(err: unknown): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the serializer above has made it
  const { stack, type, message } = err as DescribedError;
  return stack ?? `${type}: ${message}`;
}

/**
 * Keeps a program alive whose reader is gone (EPIPE: `app | head`) or whose log disk is full. Without a
 * listener the failed write would be an uncaught exception, and losing the log must not stop the work.
 */
export function outliveBrokenOutput(...outputs: Output[]): void {
  for (const output of outputs) output.on?.("error", () => {});
}
