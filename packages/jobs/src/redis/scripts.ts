import { common } from "./scripts/common.ts";
import { remove, repair } from "./scripts/index-upkeep.ts";
import { cancel, enqueue, list, read } from "./scripts/jobs.ts";
import { begin, presence, settle, start } from "./scripts/runs.ts";

export const scripts = {
  enqueue,
  read,
  begin,
  start,
  settle,
  cancel,
  list,
  remove,
  repair,
  presence,
} as const;
export type ScriptName = keyof typeof scripts;

/** The text that Redis gets. */
export function scriptText(body: string): string {
  return common + body;
}
