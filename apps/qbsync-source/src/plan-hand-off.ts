import {
  type HandOffRecord,
  HandOffRecord_Step as Step,
  isUnderWay,
  type SeedingState,
} from "@qbit-sidecars/qbsync-protocol";

/** Whether a torrent's tags say that it is being handed over, and whether it ran before. */
export type Mark = "none" | "ran" | "was stopped";

/** A torrent in the source's qBittorrent, looked at just now. */
export type Here =
  /** `isGone`: it was removed; otherwise qBittorrent may only not have loaded it yet. */
  | { kind: "absent"; isGone: boolean }
  | {
      kind: "present";
      /** `busy`: checking or moving; whether it will run after that is not shown. */
      activity: "running" | "stopped" | "busy";
      isComplete: boolean;
      mark: Mark;
      /** A tag says that it is not to be removed. */
      isExcluded: boolean;
    };

/** The same torrent at the destination, looked at just now. */
export type There = {
  state: SeedingState;
  /** Nothing is uploaded there. */
  isStill: boolean;
  /** Only where it is with this source. */
  record?: HandOffRecord;
  /** For people. */
  detail: string;
};

export type View = {
  here: Here;
  there: There;
  /** Nothing about it has changed for so long that it will not by itself. */
  isStuck: boolean;
};

/** The next thing to do. What is done is seen at the next look, so each may be done again. */
export type HandOffStep =
  | { act: "begin" }
  | { act: "mark" }
  | { act: "stop" }
  | { act: "start there" }
  | { act: "remove" }
  | { act: "tell removed" }
  | { act: "take back"; why: string }
  | { act: "start here" }
  | { act: "unmark" }
  | { act: "wait"; why: string }
  | { act: "done"; outcome: "handed off" | "taken back" | "not begun"; why?: string };

type Context = {
  /** Somebody wants it to be handed over; without that only what was begun is brought to an end. */
  isWanted: boolean;
  /** Why the group it belongs to is not handed over. */
  back: string | undefined;
  /** The destination has noted all of its group as seeding: before that none of them can have been removed here. */
  isAgreed: boolean;
  /** One of its group is removed already, and maybe files of this one with it. */
  isCommitted: boolean;
  /** All of its group are stopped here and seeding there. */
  isReady: boolean;
};

/**
 * The next step for each torrent of a group that shares files. All of them are handed over, or none: nothing is
 * removed here before every one of them seeds there, and one that cannot takes the others back with it. Once the
 * first is removed there is no way back, and none is needed: the others seed there as well.
 *
 * @param isWanted that the group is to be handed over now, rather than only be brought to an end
 */
export function planGroup(views: readonly View[], { isWanted }: { isWanted: boolean }): HandOffStep[] {
  const isAgreed = views.every(({ there }) => removable.has(there.record?.step));
  const isCommitted = views.some((view) => isRemoved(view, isAgreed));
  const alone = views.map((view) =>
    planHandOff(view, { isWanted, isAgreed, isCommitted, back: undefined, isReady: false }),
  );
  const back = isCommitted ? undefined : reasonToGoBack(alone);
  const isReady = isCommitted || views.every((view) => isHandedOver(view));
  return views.map((view) => planHandOff(view, { isWanted, isAgreed, isCommitted, back, isReady }));
}

/**
 * The next step for one torrent, from what both sides show now and from nothing else: it does not matter which
 * process or qBittorrent was restarted since the last one. The order holds the promises:
 *
 * - started there only while it is stopped here, and started here only while nothing is uploaded there;
 * - removed here only while it is stopped here and seeding there, complete, by the destination's own record of it.
 */
function planHandOff({ here, there, isStuck }: View, context: Context): HandOffStep {
  if (here.kind === "absent") return planAbsent(here, there, context.isAgreed);
  if (here.mark === "none") return planUnmarked(here, there, context);
  const { record, state } = there;
  if (record?.step === Step.REMOVED) return planReturned(here, there, isStuck);
  if (!isUnderWay(record)) return planGivingBack(here, there, isStuck);
  const why = context.back ?? whyBack({ here, there, isStuck }, context);
  if (why !== undefined) return { act: "take back", why };
  if (here.activity === "running") return { act: "stop" };
  if (here.activity === "busy") return { act: "wait", why: "qBittorrent is checking or moving it" };
  if (record?.step === Step.SEEDING && state === "seeding")
    return context.isReady ? { act: "remove" } : { act: "wait", why: "the torrents that share its files" };
  if (state === "stopped" || state === "seeding") return { act: "start there" };
  return { act: "wait", why: there.detail };
}

type Present = Here & { kind: "present" };

const removable: ReadonlySet<Step | undefined> = new Set<Step>([Step.SEEDING, Step.REMOVED]);

function planAbsent(
  { isGone }: Here & { kind: "absent" },
  { record }: There,
  isAgreed: boolean,
): HandOffStep {
  if (record?.step === Step.REMOVED) return { act: "done", outcome: "handed off" };
  // It was stopped here and runs there: that is so whether it was removed or is not loaded yet.
  if ((record?.step === Step.SEEDING && isAgreed) || isGone) return { act: "tell removed" };
  return { act: "wait", why: "qBittorrent does not list it now" };
}

function planUnmarked(here: Present, there: There, { isWanted, back }: Context): HandOffStep {
  const isPossible = isWanted && back === undefined && here.isComplete && !here.isExcluded;
  if (isUnderWay(there.record)) {
    if (isPossible && there.record?.step === Step.BEGUN) return { act: "mark" };
    return { act: "take back", why: back ?? "it is not marked as being handed over any more" };
  }
  if (!isPossible) return { act: "done", outcome: "not begun", ...(back !== undefined && { why: back }) };
  if (there.state === "stopped" || there.state === "seeding") return { act: "begin" };
  return { act: "done", outcome: "not begun", why: there.detail };
}

/** It is not under way any more. The mark goes last: until then it is known that it has to be started. */
function planGivingBack(here: Present, { isStill }: There, isStuck: boolean): HandOffStep {
  if (!isStill) return { act: "take back", why: "" };
  return here.mark === "ran" && here.activity === "stopped" && !isStuck
    ? { act: "start here" }
    : { act: "unmark" };
}

/** The destination knows it as removed, and here it is again: its removal did not survive a crash of qBittorrent. */
function planReturned(here: Present, { state, detail, isStill }: There, isStuck: boolean): HandOffStep {
  // Not listed there may be not loaded yet.
  if (state === "absent" ? isStill : isStuck) return { act: "take back", why: detail };
  if (here.activity === "running") return { act: "stop" };
  if (here.activity === "busy") return { act: "wait", why: "qBittorrent is checking or moving it" };
  return state === "seeding" ? { act: "remove" } : { act: "wait", why: detail };
}

function whyBack(
  { here, there: { state, detail }, isStuck }: View & { here: Present },
  { isCommitted }: Context,
): string | undefined {
  if (isCommitted && state === "seeding") return undefined;
  if (here.isExcluded && !isCommitted) return "it was tagged to stay";
  if (!here.isComplete && here.activity !== "busy" && !isCommitted) return "it is not complete here any more";
  return isStuck ? `nothing has changed for too long: ${detail}` : undefined;
}

function isRemoved({ here, there: { record } }: View, isAgreed: boolean): boolean {
  if (record?.step === Step.REMOVED) return true;
  return isAgreed && here.kind === "absent" && record?.step === Step.SEEDING;
}

function isHandedOver({ here, there: { record, state } }: View): boolean {
  return (
    here.kind === "present" &&
    here.mark !== "none" &&
    here.activity === "stopped" &&
    here.isComplete &&
    record?.step === Step.SEEDING &&
    state === "seeding"
  );
}

function reasonToGoBack(steps: readonly HandOffStep[]): string | undefined {
  for (const step of steps) {
    if (step.act === "take back" && step.why !== "") return step.why;
    if (step.act === "done" && steps.length > 1) return step.why ?? "a torrent that shares its files stays";
    if ((step.act === "start here" || step.act === "unmark") && steps.length > 1)
      return "a torrent that shares its files stays";
  }
  return undefined;
}
