import fc from "fast-check";
import { addition, additions, poolNames } from "./additions.ts";
import { changeNames, changesOf, settingsChange } from "./changes.ts";
import { bool } from "./choices.ts";
import type { Operation, Stage } from "./operation.ts";
import { reads } from "./reads.ts";

/** One step of a random sequence. */
function operations(stage: Stage): fc.Arbitrary<Operation> {
  const settings = settingsChange(stage).map((params): Operation => ({
    kind: "change",
    name: "app/setPreferences",
    params,
  }));
  const wrong = fc
    .constantFrom(...changeNames(stage), "torrents/add", "app/setPreferences", "auth/logout")
    .map((name): Operation => ({ kind: "wrongMethod", name }));
  const polls = fc.oneof(
    { weight: 3, arbitrary: fc.constant<Operation>({ kind: "poll", isAnswerLost: false }) },
    { weight: 1, arbitrary: fc.constant<Operation>({ kind: "poll", isAnswerLost: true }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(0, 1, 2, 7, -1).map((rid): Operation => ({ kind: "pollFrom", rid })),
    },
  );
  return fc.oneof(
    { weight: 10, arbitrary: changesOf(stage) },
    { weight: 5, arbitrary: additions(stage) },
    { weight: 3, arbitrary: settings },
    { weight: 6, arbitrary: reads(stage) },
    { weight: 5, arbitrary: polls },
    { weight: 1, arbitrary: wrong },
  );
}

/** A random sequence: it begins with some torrents, so that there is something to do things to. */
export function sequences(stage: Stage, maxLength: number): fc.Arbitrary<readonly Operation[]> {
  const names = fc.subarray([...poolNames], { minLength: 1 });
  const beginning = fc
    .tuple(names, bool)
    .map(([chosen, stopped]) => chosen.map((name) => addition({ stopped, paused: stopped }, [name])));
  const rest = fc.array(operations(stage), { minLength: 1, maxLength, size: "max" });
  return fc.tuple(beginning, rest).map(([first, then]) => [...first, ...then]);
}
