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
  const methods = handOffMethods(
    { ask } as unknown as TakeOver,
    (task) => tasks.push(task),
    () => "",
  );
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

test("a torrent that another source brought is not started because this one has it no more", () => {
  const asked: unknown[] = [];
  const answers: unknown[] = [];
  const methods = handOffMethods(
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is not to be called
    {} as TakeOver,
    (task) => asked.push(task),
    (id) => (id === "theirs" ? "box" : ""),
  );
  const tell = (torrentId: string, handOffId: string, sourceName: string): void => {
    const call = { request: { torrentId, handOffId, sourceName, tags: [] } };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that it reads
    methods.sourceRemoved(call as unknown as Parameters<typeof methods.sourceRemoved>[0], (error) =>
      answers.push(error),
    );
  };
  tell("theirs", "", "other");
  tell("theirs", "", "");
  const refused = { code: status.FAILED_PRECONDITION, details: 'it is the source "box"\'s' };
  expect(answers).toEqual([refused, refused]);
  expect(asked).toEqual([]);
  tell("theirs", "", "box");
  tell("theirs", "of its hand-off", "other");
  tell("nobody's", "", "other");
  expect(asked).toHaveLength(3);
});
