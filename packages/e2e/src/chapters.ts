import { styleText } from "node:util";
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
import { type Outcome, type Story, tellAll, type Telling } from "./tell-stories.ts";

type AnyNarrator = Narrator & NtfyNarrator & PiaNarrator & RulesNarrator & QbsyncNarrator;

/** Stories of one app: its stage is set when its turn comes, and taken down before the next one's. */
type Chapter = (telling: Telling, tell: AnyNarrator) => Promise<Outcome>;

const chapters: readonly Chapter[] = [
  chapter("port-sync", (tell) => setStage({ tell }), portSyncStories),
  chapter("pia-forwarder", (tell) => setPiaStage({ tell }), piaForwarderStories),
  chapter("ntfy-sidecar", (tell) => NtfyStage.set({ tell }), ntfySidecarStories),
  chapter("rules-server", (tell) => RulesStage.set({ tell }), rulesServerStories),
  chapter("qbsync", (tell) => QbsyncStage.set({ tell }), qbsyncStories),
];

/** What each app does when something goes wrong around it, up to the first story that does not come true. */
export async function tellChapters(telling: Telling, tell: AnyNarrator): Promise<Outcome> {
  for (const one of chapters) {
    const outcome = await one(telling, tell);
    if (outcome !== "true") return outcome;
  }
  return "true";
}

type StageStory<Stage> = { title: string; play(stage: Stage, tell: AnyNarrator): Promise<void> };

function chapter<Stage extends AsyncDisposable>(
  app: string,
  set: (tell: AnyNarrator) => Promise<Stage>,
  stories: readonly StageStory<Stage>[],
): Chapter {
  return async (telling, tell) => {
    if (telling.signal.aborted) return "stopped";
    telling.terminal.print(`\n${styleText(["bold", "cyan"], `${app}, when things go wrong`)}`);
    await using stage = await set(tell);
    const bound = stories.map((story): Story => ({
      title: story.title,
      play: async () => story.play(stage, tell),
    }));
    return await tellAll(bound, telling);
  };
}
