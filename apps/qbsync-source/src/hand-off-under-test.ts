import {
  decideHandOff,
  decideSeen,
  GrpcError,
  grpcStatus,
  type HandOffRecord,
  type HandOffRequest,
  type QbSyncServer,
  SeedingResponse,
  type SeedingState,
  type sendUnaryData,
  stateOnTheWire,
} from "@qbit-sidecars/qbsync-protocol";

/** The methods of the service that belong to hand-offs. */
type Methods = Pick<
  QbSyncServer,
  "beginHandOff" | "startSeeding" | "stopSeeding" | "sourceRemoved" | "lookAtSeeding"
>;

/** For tests: the destination's half of hand-offs, deciding as the real one does, with a qBittorrent that is only a set. */
export class HandOffStandIn {
  readonly records = new Map<string, HandOffRecord>();
  /** What seeds at the destination. */
  readonly seeding = new Set<string>();
  /** Each request in the order of arrival: "kind id". */
  readonly asked: string[] = [];
  /** The tags that the source wants to be put on, by torrent. */
  readonly tags = new Map<string, readonly string[]>();
  /** Instead of what it is: how the destination's qBittorrent has a torrent. */
  stateOf: (id: string) => SeedingState | undefined = () => undefined;
  /** Refuses a request with these words; "look" is one as well. */
  refuse: (kind: HandOffRequest["kind"] | "look", id: string) => string | undefined = () => undefined;

  methods(isFinished: (id: string) => boolean): Methods {
    const answer = (id: string): SeedingResponse => {
      const state = this.#state(id, isFinished);
      const handOff = this.records.get(id);
      return SeedingResponse.fromPartial({
        state: stateOnTheWire(state),
        detail: state,
        ...(handOff && { handOff }),
      });
    };
    const ask = (id: string, request: HandOffRequest, callback: sendUnaryData<SeedingResponse>) => {
      this.asked.push(`${request.kind} ${id}`);
      const why = this.refuse(request.kind, id);
      if (why !== undefined) return callback(new GrpcError(grpcStatus.FAILED_PRECONDITION, why));
      const { record, act } = decideHandOff(this.records.get(id), request, this.#state(id, isFinished));
      if (record !== undefined) this.records.set(id, record);
      if (act === "start") this.seeding.add(id);
      if (act === "stop") this.seeding.delete(id);
      const seen = decideSeen(this.records.get(id), this.#state(id, isFinished));
      if (seen !== undefined) this.records.set(id, seen);
      return callback(null, answer(id));
    };
    return {
      beginHandOff({ request: { torrentId, handOffId: id, sourceName } }, callback) {
        ask(torrentId, { kind: "begin", id, sourceName }, callback);
      },
      startSeeding({ request: { torrentId, handOffId: id } }, callback) {
        ask(torrentId, { kind: "start", id, sourceName: "" }, callback);
      },
      stopSeeding({ request: { torrentId, handOffId: id } }, callback) {
        ask(torrentId, { kind: "stop", id, sourceName: "" }, callback);
      },
      sourceRemoved: ({ request: { torrentId, handOffId: id, sourceName, tags } }, callback) => {
        this.tags.set(torrentId, tags);
        ask(torrentId, { kind: "removed", id, sourceName }, callback);
      },
      lookAtSeeding: ({ request: { torrentId } }, callback) => {
        const why = this.refuse("look", torrentId);
        if (why === undefined) callback(null, answer(torrentId));
        else callback(new GrpcError(grpcStatus.UNAVAILABLE, why));
      },
    };
  }

  #state(id: string, isFinished: (id: string) => boolean): SeedingState {
    const own = this.stateOf(id);
    if (own !== undefined) return own;
    if (!isFinished(id)) return "absent";
    return this.seeding.has(id) ? "seeding" : "stopped";
  }
}
