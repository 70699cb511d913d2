import { grpcStatus as status, type SeedingResponse } from "@qbit-sidecars/qbsync-protocol";
import { expect, test } from "vitest";
import { handOffMethods } from "./serve-hand-offs.ts";
import type { TakeOver } from "./take-over.ts";

/** How a source is answered when its request fails like this. */
async function answered(failure: Error): Promise<unknown> {
  const ask = async (): Promise<SeedingResponse> => {
    throw failure;
  };
  const tasks: (() => Promise<SeedingResponse>)[] = [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that it calls
  const methods = handOffMethods({ ask } as unknown as TakeOver, (task) => tasks.push(task));
  const call = { request: { torrentId: "a", handOffId: "1", sourceName: "" } };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that it reads
  methods.beginHandOff(call as unknown as Parameters<typeof methods.beginHandOff>[0], () => {});
  try {
    return await tasks[0]?.();
  } catch (thrown) {
    return thrown;
  }
}

test("a disk that is full is a reason to ask again, with the disk's words; what is not understood is not", async () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  expect(await answered(full)).toMatchObject({
    code: status.UNAVAILABLE,
    details: expect.stringContaining("ENOSPC"),
  });
  const unknown = new Error("?");
  expect(await answered(unknown)).toBe(unknown);
});
