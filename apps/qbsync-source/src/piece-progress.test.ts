import { PieceSet } from "@qbit-sidecars/qbsync-protocol/layout";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PieceProgress } from "./piece-progress.ts";

const runs = process.env.QBIT_SIDECARS_LONG === "1" ? 10_000 : 500;
const count = 12;
const setOf = (pieces: Iterable<number>) => {
  const set = new PieceSet(count);
  for (const piece of pieces) set.add(piece);
  return set;
};

const piece = fc.nat(count - 1);
const event = fc.oneof(
  fc.record({ type: fc.constant("available" as const), pieces: fc.uniqueArray(piece) }),
  fc.record({ type: fc.constant("needed" as const), pieces: fc.uniqueArray(piece) }),
  fc.record({ type: fc.constant("begin" as const) }),
  fc.record({ type: fc.constantFrom("written" as const, "durable" as const, "unwanted" as const), piece }),
  fc.record({ type: fc.constant("comeBack" as const), piece, waitMs: fc.nat(3) }),
  fc.record({ type: fc.constant("wake" as const) }),
);

type Event = typeof event extends fc.Arbitrary<infer E> ? E : never;

test("whatever happens in whatever order, what may be sent is here, needed, and nowhere on its way", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const progress = new PieceProgress(count);
      let available = new Set<number>();
      let needed = new Set<number>();
      const inFlight = new Set<number>();
      const undurable = new Set<number>();
      const apply = (one: Event, now: number): boolean => {
        if (one.type === "available") progress.setAvailable(setOf((available = new Set(one.pieces))));
        else if (one.type === "needed") {
          progress.setNeeded(setOf((needed = new Set(one.pieces))));
          undurable.clear();
        } else if (one.type === "wake") progress.wakePutOff(now);
        else if (one.type === "begin") {
          const first = progress.first();
          if (first === undefined) return true;
          const isFree = available.has(first) && needed.has(first) && !inFlight.has(first);
          progress.begin(first);
          inFlight.add(first);
          return isFree;
        } else {
          const wasInFlight =
            one.type === "comeBack"
              ? progress.comeBack(one.piece, now + one.waitMs)
              : progress[one.type](one.piece);
          const wasUndurable = undurable.delete(one.piece);
          if (one.type === "written") undurable.add(one.piece);
          if (one.type !== "comeBack") needed.delete(one.piece);
          // What was written and could not be made durable is needed again.
          else if (wasUndurable) needed.add(one.piece);
          return wasInFlight === inFlight.delete(one.piece);
        }
        return true;
      };
      for (const [now, one] of events.entries()) {
        expect(apply(one, now)).toBe(true);
        expect(progress.inFlightCount).toBe(inFlight.size);
      }
      // However it went: once all is here and needed and everybody has waited, all of it can be sent.
      for (const one of inFlight) progress.comeBack(one, 0);
      progress.setAvailable(setOf(Array.from({ length: count }, (_, index) => index)));
      progress.setNeeded(setOf(Array.from({ length: count }, (_, index) => index)));
      expect(progress.wakePutOff(Number.MAX_SAFE_INTEGER)).toBeUndefined();
      for (let next = 0; next < count; next += 1) {
        expect(progress.first()).toBe(next);
        progress.begin(next);
        progress.durable(next);
      }
      expect(progress.isDelivered).toBe(true);
    }),
    { numRuns: runs },
  );
});

test("what is written is not delivered before it is durable", () => {
  const progress = new PieceProgress(count);
  progress.setAvailable(setOf([3]));
  progress.setNeeded(setOf([3]));
  progress.begin(3);
  progress.written(3);
  expect(progress.isDelivered).toBe(false);
  progress.durable(3);
  expect(progress.isDelivered).toBe(true);
});

test("only the destination's time counts towards its timeout", () => {
  const progress = new PieceProgress(count);
  progress.setAvailable(setOf([3]));
  progress.setNeeded(setOf([3]));
  progress.begin(3);
  expect(progress.olderThan(1e12)).toEqual([]);
  progress.waitsSince(3, 100);
  expect(progress.olderThan(100)).toEqual([]);
  expect(progress.olderThan(101)).toEqual([3]);
  progress.waitsSince(3, Number.POSITIVE_INFINITY);
  expect(progress.olderThan(1e12)).toEqual([]);
});

test("what was written and is lost there is sent again", () => {
  const progress = new PieceProgress(count);
  progress.setAvailable(setOf([3]));
  progress.setNeeded(setOf([3]));
  progress.begin(3);
  progress.written(3);
  progress.comeBack(3, 10);
  expect(progress.first()).toBeUndefined();
  progress.wakePutOff(10);
  expect(progress.first()).toBe(3);
});
