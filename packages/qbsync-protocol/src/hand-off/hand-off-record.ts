import {
  type HandOffRecord,
  HandOffRecord_Step as Step,
  type SeedingResponse,
  SeedingResponse_State as State,
} from "../gen/qbit_sidecars/qbsync/v1/qbsync.ts";

/** What a source asks of a torrent's hand-off. */
export type HandOffRequest = {
  kind: "begin" | "start" | "stop" | "removed";
  /** Empty for "removed" without a hand-off before it. */
  id: string;
  sourceName: string;
};

/** How the torrent is in the destination's qBittorrent; `stopped` and `seeding` only when it is complete there. */
export type SeedingState = "absent" | "incomplete" | "busy" | "stopped" | "seeding";

/** What the destination does, in this order: the record is on the disk before anything is started or stopped. */
export type HandOffDecision = { record?: HandOffRecord; act?: "start" | "stop" };

/** The id with which a source stops what it has told as removed and has again after all. */
export function idOfReturn({ id }: Pick<HandOffRecord, "id">): string {
  return `${id}/returned`;
}

const underWay: ReadonlySet<Step | undefined> = new Set<Step>([Step.BEGUN, Step.STARTING, Step.SEEDING]);

/** Whether a hand-off is under way: begun, and neither done nor taken back. */
export function isUnderWay(record: HandOffRecord | undefined): boolean {
  return underWay.has(record?.step);
}

/**
 * What a destination does about a request, given what it remembers. Requests may come twice, late, or from a source
 * that was restarted since; two rules make that harmless:
 *
 * - what was taken back is never started again under the same id, so that a StartSeeding which was on its way when
 *   the source gave up comes too late;
 * - only the hand-off on record is started.
 */
export function decideHandOff(
  record: HandOffRecord | undefined,
  request: HandOffRequest,
  state: SeedingState,
): HandOffDecision {
  const isSame = record?.id === request.id;
  const isBusy = isUnderWay(record);
  const at = (step: Step): HandOffRecord => ({
    id: request.id,
    sourceName: isSame ? (record?.sourceName ?? "") : request.sourceName,
    step,
  });
  const isWhole = state === "stopped" || state === "seeding";
  switch (request.kind) {
    case "begin":
      return isSame || isBusy || !isWhole ? {} : { record: at(Step.BEGUN) };
    case "start":
      if (!isSame || !isBusy || !isWhole) return {};
      if (record?.step === Step.BEGUN) return { record: at(Step.STARTING), act: "start" };
      return state === "seeding" ? {} : { act: "start" };
    case "stop":
      if (isBusy && !isSame) return {};
      // What was removed at the source seeds here alone: a request that is late must not stop it.
      if (record?.step === Step.REMOVED && request.id !== idOfReturn(record)) return {};
      return { record: at(Step.TAKEN_BACK), act: "stop" };
    case "removed":
      if (request.id !== "" && (isSame ? record?.step === Step.REMOVED : isBusy)) return {};
      return { record: at(Step.REMOVED), ...(state === "stopped" && { act: "start" as const }) };
    default:
      return request.kind satisfies never;
  }
}

/** After a start: once it is seen seeding, the source may remove its copy. */
export function decideSeen(
  record: HandOffRecord | undefined,
  state: SeedingState,
): HandOffRecord | undefined {
  return record?.step === Step.STARTING && state === "seeding"
    ? { ...record, step: Step.SEEDING }
    : undefined;
}

/** A state as the source is told it. */
export function stateOnTheWire(state: SeedingState): State {
  const words: Record<SeedingState, State> = {
    absent: State.UNKNOWN,
    incomplete: State.NOT_COMPLETE,
    busy: State.STARTING,
    stopped: State.STOPPED,
    seeding: State.SEEDING,
  };
  return words[state];
}

/** What a source makes of an answer. */
export function stateFromTheWire({ state }: Pick<SeedingResponse, "state">): SeedingState {
  const words = new Map<State, SeedingState>([
    [State.UNKNOWN, "absent"],
    [State.NOT_COMPLETE, "incomplete"],
    [State.STOPPED, "stopped"],
    [State.SEEDING, "seeding"],
  ]);
  return words.get(state) ?? "busy";
}

/**
 * Whether nothing is uploaded from the destination, by an answer: stopped, or in error. That its qBittorrent does not
 * list the torrent says nothing: after a restart it may not have loaded it yet.
 */
export function isStill({ state, qbittorrentState }: Pick<SeedingResponse, "state" | "qbittorrentState">) {
  if (state === State.STOPPED) return true;
  return ["stoppedUP", "stoppedDL", "missingFiles", "error"].includes(qbittorrentState);
}
