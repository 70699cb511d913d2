import { Refusal_Reason as Reason } from "@qbit-sidecars/qbsync-protocol";
import { expect, test } from "vitest";
import { RefusedError } from "./refused.ts";
import { TellRefusals } from "./tell-refusals.ts";

function stage() {
  const lines: string[] = [];
  const warn = (_: object, text: string) => void lines.push(text);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that it calls
  const refusals = new TellRefusals({ warn, debug() {} } as unknown as ConstructorParameters<
    typeof TellRefusals
  >[0]);
  const refuse = (torrentId: string, code: string) => {
    const cause = Object.assign(new Error(code), { code });
    refusals.tell({ torrentId, name: "" }, new RefusedError(code, Reason.BUSY, { cause }));
  };
  return { lines, refusals, refuse };
}

test("a torrent that is refused again and again is told of once, and again when the reason is another one", () => {
  const { lines, refuse } = stage();
  for (let second = 0; second < 60; second += 1) for (const id of ["a", "b"]) refuse(id, "ENOSPC");
  refuse("a", "EROFS");
  expect(lines).toEqual(["refused: ENOSPC", "refused: ENOSPC", "refused: EROFS"]);
});

test("after it was taken it is told of anew", () => {
  const { lines, refusals, refuse } = stage();
  refuse("a", "ENOSPC");
  refusals.forget("a");
  refuse("a", "ENOSPC");
  expect(lines).toHaveLength(2);
});

test("that the .torrent is needed is part of every beginning, and told of never", () => {
  const { lines, refusals } = stage();
  refusals.tell({ torrentId: "a", name: "" }, new RefusedError("needed", Reason.TORRENT_NEEDED));
  expect(lines).toEqual([]);
});

test("of a thousand others the oldest is forgotten, so that what sources make it remember is bounded", () => {
  const { lines, refuse } = stage();
  for (let number = 0; number <= 1000; number += 1) refuse(`t${number}`, "ENOSPC");
  refuse("t1000", "ENOSPC");
  expect(lines).toHaveLength(1001);
  refuse("t0", "ENOSPC");
  expect(lines).toHaveLength(1002);
});
