import type { PhoneScreen } from "@qbit-sidecars/testing";
import type { NtfyNarrator, NtfyStage } from "../ntfy-stage.ts";

/** Something a user would see happen. `play` resolves when it was seen to come true and throws when not. */
export type NtfyStory = { title: string; play(stage: NtfyStage, tell: NtfyNarrator): Promise<void> };

const hasProgress = ({ cards }: PhoneScreen) => cards.some(({ message }) => message.includes("%"));
const isOver = ({ cards }: PhoneScreen) => cards.length === 1 && cards[0]?.title === "Download Complete";

const downloaded: NtfyStory = {
  title: "A torrent downloads: one quiet card fills up, and makes one sound when it is done",
  async play(stage) {
    const made = await stage.add("Debian");
    await stage.shows(made, "a progress card", hasProgress);
    await stage.connect(made);
    await stage.downloaded(made);
    await stage.shows(made, "one card that says it is complete", isOver);
    await oneSound(stage, made);
  },
};

const killed: NtfyStory = {
  title:
    "ntfy-sidecar is killed (kill -9) while a torrent downloads: its completion is told once, by the next start",
  async play(stage, tell) {
    const made = await stage.add("Ubuntu");
    await stage.shows(made, "a progress card", hasProgress);
    tell("you", "kill -9 ntfy-sidecar");
    await stage.killSidecar();
    await stage.connect(made);
    await stage.downloaded(made);
    tell("you", "start it again");
    await stage.startSidecar();
    await stage.shows(made, "one card that says it is complete", isOver);
    await oneSound(stage, made);
  },
};

const away: NtfyStory = {
  title: "ntfy is down while a torrent completes: it is told when ntfy is back",
  async play(stage, tell) {
    const made = await stage.add("Fedora");
    await stage.shows(made, "a progress card", hasProgress);
    tell("you", "stop ntfy");
    await stage.ntfy.stop();
    await stage.connect(made);
    await stage.downloaded(made);
    tell("you", "start ntfy");
    await stage.ntfy.start();
    await stage.shows(made, "one card that says it is complete", isOver);
    await oneSound(stage, made);
  },
};

/** ntfy-sidecar's stories, in the order they are told. */
export const ntfySidecarStories: readonly NtfyStory[] = [downloaded, killed, away];

async function oneSound(stage: NtfyStage, made: Parameters<NtfyStage["screen"]>[0]): Promise<void> {
  const { sounds } = await stage.screen(made);
  if (sounds.length !== 1)
    throw new Error(`the phone made ${sounds.length} sounds for ${made.name}, not one`);
}
