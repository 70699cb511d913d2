import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Takes minutes, whatever the machine: begun last, everything else would wait for it. */
const longest = /\/soak\.e2e\.test\.ts$/;

/** Vitest's own order, but for what would otherwise run alone at the end, with the second core idle. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- the sequencer's own, which is no array's
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => Number(longest.test(b.moduleId)) - Number(longest.test(a.moduleId)));
  }
}
