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

const handedOff: QbsyncStory = {
  title:
    "The seedbox's disk is too full: what is synced is stopped there, started at home, seen seeding, and only then removed there",
  async play(stage, tell) {
    const made = await stage.download("Fedora");
    await stage.complete(made);
    await stage.stopSource();
    tell("you", "ask for more free space than there is: --min-space 1000TB, and no time of seeding first");
    stage.startSource({
      QBSYNC_SOURCE_MIN_SPACE: "1000TB",
      QBSYNC_SOURCE_MIN_SEEDING_TIME: "0",
      QBSYNC_SOURCE_SETTLE_TIME: "0",
      QBSYNC_SOURCE_SLEEP: "1s",
    });
    await stage.isHandedOff(made);
    await stage.stopSource();
    stage.startSource();
  },
};

const drained: QbsyncStory = {
  title:
    "The seedbox's node is drained: on SIGTERM everything that is synced moves home, then qbsync-source ends",
  async play(stage, tell) {
    const made = await stage.download("Alpine");
    await stage.complete(made);
    await stage.stopSource();
    // Here there is no pod whose annotation could say so.
    stage.startSource({ QBSYNC_SOURCE_DRAIN_ANNOTATION: "", QBSYNC_SOURCE_SETTLE_TIME: "0" });
    await stage.sourceRuns();
    tell("you", "stop qbsync-source (SIGTERM), as the eviction of its pod does");
    await stage.stopSource();
    await stage.isHandedOff(made);
    stage.startSource();
  },
};

/** The stories of qbsync-source and qbsync-destination, in the order they are told. */
export const qbsyncStories: readonly QbsyncStory[] = [whileDownloading, killed, handedOff, drained];
