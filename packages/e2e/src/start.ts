import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs, styleText } from "node:util";
import { type Narrator, setStage } from "./stage.ts";
import { portSyncStories, type Story } from "./stories/port-sync.ts";

const usage = `npm start              shows port-sync at work on a real qBittorrent until Ctrl-C
npm start -- --once    plays each story once; exits 0 only if each was seen to come true`;

const { values } = parseArgs({
  options: { once: { type: "boolean" }, help: { type: "boolean", short: "h" } },
});
const stop = new AbortController();
process.on("SIGINT", () => stop.abort());
process.on("SIGTERM", () => stop.abort());

if (values.help) console.log(usage);
else process.exitCode = await show(values.once === true, stop.signal);

/** @returns the exit code */
async function show(once: boolean, signal: AbortSignal): Promise<number> {
  const tell = narrator();
  console.log(styleText("dim", "Getting a real qBittorrent (the first time this takes a few seconds) …"));
  await using stage = await setStage({ tell });
  console.log(`
  qBittorrent's WebUI   ${stage.qbittorrent.url}   (no login needed from here)
  port-sync's status    ${stage.healthUrl}/status   also /readyz and /metrics
  the port file         ${stage.gluetun.portFile}   write a port into it and watch
`);
  const play = (story: Story) => story.play(stage, tell);
  // A person needs a moment between two stories; a script does not.
  const told = await tellAll(portSyncStories, { signal, play, pauseMs: once ? 0 : 2000 });
  if (once || told !== "true") return conclude(told);
  console.log(
    styleText("bold", "\nAll stories came true. Now and then one is told again; Ctrl-C ends it all.\n"),
  );
  return stay(signal, play);
}

type Outcome = "true" | "untrue" | "stopped";

type Telling = { signal: AbortSignal; play: (story: Story) => Promise<void>; pauseMs: number };

async function tellAll(stories: readonly Story[], { signal, play, pauseMs }: Telling): Promise<Outcome> {
  for (const story of stories) {
    const outcome = await tellStory(story, signal, play);
    if (outcome !== "true") return outcome;
    if (!(await pause(pauseMs, signal))) return "stopped";
  }
  return "true";
}

/** @returns whether the time passed; false when the person has had enough */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}

async function tellStory(
  story: Story,
  signal: AbortSignal,
  play: (story: Story) => Promise<void>,
): Promise<Outcome> {
  console.log(`\n${styleText("bold", story.title)}`);
  const stopped = new Promise<"stopped">((resolve) => {
    if (signal.aborted) resolve("stopped");
    signal.addEventListener("abort", () => resolve("stopped"), { once: true });
  });
  try {
    const outcome = await Promise.race([play(story).then(() => "true" as const), stopped]);
    if (outcome === "true") console.log(styleText("green", "  ✔ seen to come true"));
    return outcome;
  } catch (error) {
    console.log(styleText("red", `  ✘ ${error instanceof Error ? error.message : String(error)}`));
    return "untrue";
  }
}

function conclude(outcome: Outcome): number {
  if (outcome === "true") console.log(styleText("bold", "\nAll stories came true."));
  if (outcome === "untrue") console.log(styleText("red", "\nA story did not come true."));
  return outcome === "untrue" ? 1 : 0;
}

async function stay(signal: AbortSignal, play: (story: Story) => Promise<void>): Promise<number> {
  const pauseMs = 15_000;
  for (let next = 1; ; next += 1) {
    if (!(await pause(pauseMs, signal))) return 0;
    const story = portSyncStories[next % portSyncStories.length];
    if (story === undefined) return 0;
    const outcome = await tellStory(story, signal, play);
    if (outcome !== "true") return conclude(outcome);
  }
}

function narrator(): Narrator {
  const startedAt = performance.now();
  const colours = { gluetun: "magenta", "port-sync": "cyan", qBittorrent: "blue", you: "yellow" } as const;
  return (who, what) => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
    console.log(`${styleText("dim", `${seconds} s`)}  ${styleText(colours[who], who.padEnd(11))}  ${what}`);
  };
}
