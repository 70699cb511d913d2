import { describe, expect, test } from "vitest";
import { followPort, nothingRead } from "./follow-port.ts";
import type { PortReading } from "./read-port.ts";

const empty: PortReading = { kind: "none", why: "the port file is empty", cleared: true };
const junk: PortReading = { kind: "none", why: "junk", cleared: false };

function written(port: number, mark: string): PortReading {
  return { kind: "port", port, source: "file", mark };
}

function answered(port: number): PortReading {
  return { kind: "port", port, source: "control-server" };
}

/** Folds readings taken one second apart; a port counts as lost after two seconds. */
function follow(...readings: PortReading[]) {
  return readings.reduce(
    (known, reading, second) => followPort(known, reading, { nowMs: second * 1000, lostAfterMs: 2000 }),
    nothingRead,
  );
}

describe("announcements of a port", () => {
  test("the same file read again is not announced again", () => {
    expect(follow(written(1111, "a"), written(1111, "a")).announcement).toBe(1);
  });

  test("the same port written again is announced again, for gluetun writes only when it has a new tunnel", () => {
    expect(follow(written(1111, "a"), written(1111, "b")).announcement).toBe(2);
  });

  test("a file cleared and written between two looks is announced again", () => {
    expect(follow(written(1111, "a"), empty, written(1111, "b")).announcement).toBe(2);
  });

  test("a read permission lost and given back announces nothing", () => {
    expect(follow(written(1111, "a"), junk, written(1111, "a")).announcement).toBe(1);
  });

  test("from the control server, which has no marks, a port is announced again after it was gone", () => {
    expect(follow(answered(1111), answered(1111)).announcement).toBe(1);
    expect(follow(answered(1111), empty, answered(1111)).announcement).toBe(2);
  });

  test("the control server standing in for the file with the same port announces nothing", () => {
    expect(follow(written(1111, "a"), answered(1111)).announcement).toBe(1);
  });
});

describe("a lost port", () => {
  test("is lost only after the time given, and found again at once", () => {
    expect(follow(written(1111, "a"), empty, empty)).toMatchObject({
      lost: false,
      port: 1111,
      why: empty.why,
    });
    expect(follow(written(1111, "a"), empty, empty, empty)).toMatchObject({ lost: true, port: 1111 });
    expect(follow(written(1111, "a"), empty, empty, empty, written(1111, "b"))).toEqual({
      port: 1111,
      source: "file",
      announcement: 2,
      lost: false,
      mark: "b",
    });
  });

  test("is not lost through junk, however long it stays", () => {
    expect(follow(written(1111, "a"), junk, junk, junk, junk)).toMatchObject({ lost: false, why: "junk" });
  });

  test("stays lost when junk follows", () => {
    expect(follow(written(1111, "a"), empty, empty, empty, junk).lost).toBe(true);
  });

  test("was never there: the reason is told", () => {
    expect(follow(empty)).toMatchObject({ announcement: 0, lost: false, why: "the port file is empty" });
  });
});
