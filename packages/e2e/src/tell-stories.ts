import { setTimeout as sleep } from "node:timers/promises";
import { styleText } from "node:util";
import type { Terminal } from "./terminal.ts";

/** A story with its stage and narrator. */
export type Story = { title: string; play(): Promise<void> };

export type Outcome = "true" | "untrue" | "stopped";

export type Telling = { terminal: Terminal; signal: AbortSignal; pauseMs: number };

/** Tells one story after the other, up to the first that does not come true. */
export async function tellAll(stories: readonly Story[], telling: Telling): Promise<Outcome> {
  for (const story of stories) {
    const outcome = await tellStory(story, telling);
    if (outcome !== "true") return outcome;
    if (!(await pause(telling.pauseMs, telling.signal))) return "stopped";
  }
  return "true";
}

/** A person who has had enough does not wait for the end of a story: it may wait for what will not come any more. */
export async function tellStory(story: Story, { terminal, signal }: Telling): Promise<Outcome> {
  terminal.print(`\n${styleText("bold", story.title)}`);
  const stopped = new Promise<"stopped">((resolve) => {
    if (signal.aborted) resolve("stopped");
    signal.addEventListener("abort", () => resolve("stopped"), { once: true });
  });
  try {
    const outcome = await Promise.race([story.play().then(() => "true" as const), stopped]);
    if (outcome === "true") terminal.print(styleText("green", "  ✔ seen to come true"));
    return outcome;
  } catch (error) {
    terminal.bars([]);
    terminal.print(styleText("red", `  ✘ ${error instanceof Error ? error.message : String(error)}`));
    return "untrue";
  }
}

/** @returns whether the time passed; false when the person has had enough */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}
