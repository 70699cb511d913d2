import type { QbsyncNarrator, QbsyncStage } from "../qbsync-stage.ts";

/** Something a user would see happen. `play` resolves when it was seen to come true and throws when not. */
export type QbsyncStory = { title: string; play(stage: QbsyncStage, tell: QbsyncNarrator): Promise<void> };

const whileDownloading: QbsyncStory = {
  title:
    "A torrent downloads at the seedbox: its pieces are at home meanwhile, and seconds after it so is all of it",
  async play(stage) {
    const made = await stage.download("Debian");
    await stage.arrivesMeanwhile(made);
    await stage.complete(made);
    await stage.seeds(made);
  },
};

const killed: QbsyncStory = {
  title:
    "qbsync-source is killed (kill -9) half-way: the next start goes on where it was, without a volume of its own",
  async play(stage, tell) {
    const made = await stage.download("Ubuntu");
    await stage.arrivesMeanwhile(made);
    tell("you", "kill -9 qbsync-source");
    await stage.killSource();
    tell("you", "start it again");
    stage.startSource();
    await stage.complete(made);
  },
};

/** The stories of qbsync-source and qbsync-destination, in the order they are told. */
export const qbsyncStories: readonly QbsyncStory[] = [whileDownloading, killed];
