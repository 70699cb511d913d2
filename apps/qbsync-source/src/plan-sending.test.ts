import fc from "fast-check";
import { expect, test } from "vitest";
import { SendPlanner } from "./plan-sending.ts";

type Job = { id: string; isLive: boolean; leftBytes: number };

/** Sends everything, one piece after another; gives the moment (in bytes sent by all) at which each was done. */
function play(jobs: Job[], pieceBytes = 1): Map<string, number> {
  const planner = new SendPlanner();
  const left = jobs.map((job) => ({ ...job }));
  const done = new Map<string, number>();
  for (let sent = 0; ;) {
    const choice = planner.next(left.filter(({ leftBytes }) => leftBytes > 0));
    if (choice === undefined) return done;
    const job = left.find(({ id }) => id === choice.candidate.id)!;
    const bytes = Math.min(pieceBytes, job.leftBytes);
    job.leftBytes -= bytes;
    sent += bytes;
    choice.charge(bytes);
    if (job.leftBytes === 0) done.set(job.id, sent);
  }
}

const large = (count: number, isLive: boolean): Job[] =>
  Array.from({ length: count }, (_, index) => ({ id: `large ${index}`, isLive, leftBytes: 100_000 / count }));

test.each([
  ["one torrent", true, large(1, false)],
  ["a hundred torrents", true, large(100, false)],
  ["one torrent, all of it backlog", false, large(1, false)],
  ["ten torrents, all of it backlog", false, large(10, false)],
])(
  "a torrent beside a backlog of a hundred times its size in %s ends within 2.5 times its time alone",
  (_, isLive, backlog) => {
    const done = play([...backlog, { id: "small", isLive, leftBytes: 1000 }]);
    expect(done.get("small")).toBeLessThanOrEqual(2500);
  },
);

test("a backlog is not starved by live torrents", () => {
  const done = play([
    { id: "live", isLive: true, leftBytes: 100_000 },
    { id: "old", isLive: false, leftBytes: 1000 },
  ]);
  expect(done.get("old")).toBeLessThanOrEqual(3500);
});

test("a large torrent gets on while small ones keep coming", () => {
  const planner = new SendPlanner();
  let sent = 0;
  for (let turn = 0; turn < 1000; turn += 1) {
    const choice = planner.next([
      { id: "large", isLive: true, leftBytes: 1e9 },
      { id: `small ${turn >> 2}`, isLive: true, leftBytes: 10 },
    ]);
    choice?.charge(1);
    if (choice?.candidate.id === "large") sent += 1;
  }
  expect(sent).toBeGreaterThan(200);
});

test("a lane that was empty for long is owed nothing", () => {
  const planner = new SendPlanner();
  const backlog = { id: "old", isLive: false, leftBytes: 1e9 };
  for (let turn = 0; turn < 1000; turn += 1) planner.next([backlog])?.charge(100);
  let live = 0;
  for (let turn = 0; turn < 300; turn += 1) {
    const choice = planner.next([backlog, { id: "new", isLive: true, leftBytes: 1e9 }]);
    choice?.charge(100);
    if (choice?.candidate.isLive) live += 1;
  }
  expect(live).toBeGreaterThan(180);
  expect(live).toBeLessThan(220);
});

test("somebody is always next as long as there is anything to send", () => {
  const job = fc.record({ isLive: fc.boolean(), leftBytes: fc.integer({ min: 1, max: 50 }) });
  fc.assert(
    fc.property(fc.array(job, { maxLength: 8 }), fc.integer({ min: 1, max: 20 }), (jobs, pieceBytes) => {
      const named = jobs.map((one, index) => ({ ...one, id: String(index) }));
      expect(play(named, pieceBytes).size).toBe(jobs.length);
    }),
  );
});
