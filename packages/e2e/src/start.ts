import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs, styleText } from "node:util";
import { type NtfyNarrator, NtfyStage } from "./ntfy-stage.ts";
import { type PiaNarrator, setPiaStage } from "./pia-stage.ts";
import { type QbsyncNarrator, QbsyncStage } from "./qbsync-stage.ts";
import { type RulesNarrator, RulesStage } from "./rules-stage.ts";
import { type Narrator, setStage } from "./stage.ts";
import { ntfySidecarStories } from "./stories/ntfy-sidecar.ts";
import { piaForwarderStories } from "./stories/pia-forwarder.ts";
import { portSyncStories } from "./stories/port-sync.ts";
import { qbsyncStories } from "./stories/qbsync.ts";
import { rulesServerStories } from "./stories/rules-server.ts";

const usage = `npm start              shows the apps at work on real servers until Ctrl-C
npm start -- --once    plays each story once; exits 0 only if each was seen to come true`;

const wanted = readArguments();
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop.abort());

if (wanted === "help") console.log(usage);
// Ended by hand: a story that was left in its middle may still be waiting for what will not come.
else process.exit(await show(wanted === "once", stop.signal));

function readArguments(): "once" | "stay" | "help" {
  try {
    const { values } = parseArgs({
      options: { once: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help) return "help";
    return values.once ? "once" : "stay";
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return process.exit(2);
  }
}

/** A story with its stage and narrator. */
type Story = { title: string; play(): Promise<void> };

/** @returns the exit code */
async function show(once: boolean, signal: AbortSignal): Promise<number> {
  const tell = narrator();
  console.log(styleText("dim", "Getting real servers (the first time this takes a few seconds) …"));
  await using stage = await setStage({ tell });
  await using ntfyStage = await NtfyStage.set({ tell });
  await using piaStage = await setPiaStage({ tell });
  await using rulesStage = await RulesStage.set({ tell });
  await using qbsyncStage = await QbsyncStage.set({ tell });
  console.log(`
  qBittorrent's WebUI   ${stage.qbittorrent.url}   (no login needed from here)
  port-sync's status    ${stage.healthUrl}/status   also /readyz and /metrics
  the port file         ${stage.gluetun.portFile}   write a port into it and watch
  ntfy's web page       ${ntfyStage.webPage}   open it and watch the card
  ntfy-sidecar's status ${ntfyStage.statusUrl}
  the rules page        ${rulesStage.url}   key: ${rulesStage.apiKey}; beside ${rulesStage.qbittorrent.url}
  pia-forwarder's       ${piaStage.healthUrl}/status   beside a qBittorrent of its own, ${piaStage.qbittorrent.url}
  qbsync-source's       ${qbsyncStage.statusUrl}   from the seedbox ${qbsyncStage.seedbox.url} to home ${qbsyncStage.home.url}
`);
  const stories: Story[] = [
    ...portSyncStories.map((story) => ({ title: story.title, play: () => story.play(stage, tell) })),
    ...ntfySidecarStories.map((story) => ({ title: story.title, play: () => story.play(ntfyStage, tell) })),
    ...piaForwarderStories.map((story) => ({ title: story.title, play: () => story.play(piaStage, tell) })),
    ...rulesServerStories.map((story) => ({ title: story.title, play: () => story.play(rulesStage, tell) })),
    ...qbsyncStories.map((story) => ({ title: story.title, play: () => story.play(qbsyncStage, tell) })),
  ];
  // A person needs a moment between two stories; a script does not.
  const told = await tellAll(stories, { signal, pauseMs: once ? 0 : 2000 });
  if (once || told !== "true") return conclude(told);
  console.log(
    styleText("bold", "\nAll stories came true. Now and then one is told again; Ctrl-C ends it all.\n"),
  );
  // Awaited here, or the stages would be taken down at once.
  return await stay(signal, stories);
}

type Outcome = "true" | "untrue" | "stopped";

type Telling = { signal: AbortSignal; pauseMs: number };

async function tellAll(stories: readonly Story[], { signal, pauseMs }: Telling): Promise<Outcome> {
  for (const story of stories) {
    const outcome = await tellStory(story, signal);
    if (outcome !== "true") return outcome;
    if (!(await pause(pauseMs, signal))) return "stopped";
  }
  return "true";
}

/** @returns whether the time passed; false when the person has had enough */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}

async function tellStory(story: Story, signal: AbortSignal): Promise<Outcome> {
  console.log(`\n${styleText("bold", story.title)}`);
  const stopped = new Promise<"stopped">((resolve) => {
    if (signal.aborted) resolve("stopped");
    signal.addEventListener("abort", () => resolve("stopped"), { once: true });
  });
  try {
    const outcome = await Promise.race([story.play().then(() => "true" as const), stopped]);
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

async function stay(signal: AbortSignal, stories: readonly Story[]): Promise<number> {
  const pauseMs = 15_000;
  for (let next = 1; ; next += 1) {
    if (!(await pause(pauseMs, signal))) return 0;
    const story = stories[next % stories.length];
    if (story === undefined) return 0;
    const outcome = await tellStory(story, signal);
    if (outcome !== "true") return conclude(outcome);
  }
}

function narrator(): Narrator & NtfyNarrator & PiaNarrator & RulesNarrator & QbsyncNarrator {
  const startedAt = performance.now();
  const colours = {
    gluetun: "magenta",
    PIA: "magenta",
    "pia-forwarder": "cyan",
    "port-sync": "cyan",
    "ntfy-sidecar": "cyan",
    "the phone": "magenta",
    "rules-server": "cyan",
    "qbsync-source": "cyan",
    "qbsync-destination": "cyan",
    qBittorrent: "blue",
    "the seedbox": "blue",
    home: "blue",
    you: "yellow",
  } as const;
  return (who: keyof typeof colours, what: string) => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
    console.log(`${styleText("dim", `${seconds} s`)}  ${styleText(colours[who], who.padEnd(13))}  ${what}`);
  };
}
