import { createLog } from "./log.ts";
import type { Logger, LogLevel } from "./log.ts";

export type LogLine = { level: string; msg: string; [key: string]: unknown };

/** A real log whose lines a test can read. */
export async function memoryLog(level: LogLevel = "info"): Promise<{ log: Logger; lines: LogLine[] }> {
  const lines: LogLine[] = [];
  const output = {
    write(text: string) {
      const line: LogLine = JSON.parse(text);
      lines.push(line);
    },
  };
  return { log: await createLog({ name: "test", level, format: "json", output }), lines };
}
