import { describeAsking } from "./conformance/asking.ts";
import { describeRunning } from "./conformance/running.ts";
import { describeWaiting } from "./conformance/waiting.ts";
import { describeLosing } from "./conformance/losing.ts";
import { describeLooking } from "./conformance/looking.ts";
import { setUpWith } from "./conformance/set-up.ts";
import type { StoreUnderTest } from "./queue-model.ts";

/** What every backend has to do; the words are in contract.ts. */
export function describeQueue(
  makeStore: () => Promise<StoreUnderTest>,
  { randomRuns }: { randomRuns: number },
): void {
  const setUp = setUpWith(makeStore);
  describeAsking(setUp);
  describeRunning(setUp);
  describeWaiting(setUp);
  describeLosing(setUp);
  describeLooking(setUp, randomRuns);
}
