import { describe, expect, test } from "vitest";
import { LibraryIndex } from "../plan/library-index.ts";
import { ask, nowMs, subjectOf, torrent } from "../rules-under-test.ts";

function says(field: string, rows: { status: number; msg: string }[]): boolean {
  const subject = subjectOf();
  subject.setPart(
    "trackers",
    rows.map((row) => ({ url: "http://t.example/a", ...row })),
  );
  return ask([{ field, operator: "==", value: true }], subject) === 1;
}

describe("what trackers say", () => {
  const unregistered = { status: 4, msg: "Unregistered torrent" };
  const down = { status: 4, msg: "Connection timed out" };
  const works = { status: 2, msg: "" };
  const off = { status: 0, msg: "" };
  test.each([
    [[unregistered], true, false],
    [[{ status: 5, msg: "Torrent has been deleted." }], true, false],
    [[unregistered, works], false, false],
    [[unregistered, down], true, false],
    [[down], false, true],
    [[{ status: 6, msg: "skipping tracker announce (unreachable)" }], false, true],
    [[down, off], false, true],
    [[down, works], false, false],
    [[{ status: 4, msg: "Service unavailable: torrent not found" }], false, true],
    [[{ status: 2, msg: "unregistered" }], false, false],
    [[off], false, false],
    [[], false, false],
  ])("%j: unregistered %s, down %s", (rows, isUnregistered, isDown) => {
    expect([says("info.is_unregistered", rows), says("info.tracker_down", rows)]).toEqual([
      isUnregistered,
      isDown,
    ]);
  });
});

test("age and seeding days count in the units they say", () => {
  const subject = subjectOf({ added_on: nowMs / 1000 - 3 * 86_400, seeding_time: 36 * 3600 });
  expect(ask([{ field: "info.age", operator: "between", value: ["2 days", "3 days"] }], subject)).toBe(1);
  expect(ask([{ field: "info.seeding_days", operator: "==", value: 1.5 }], subject)).toBe(1);
  expect(ask([{ field: "info.age", operator: ">", value: 0 }], subjectOf({ added_on: 0 }))).toBe(0);
});

test("the weekday and the hour are those of the run", () => {
  const subject = subjectOf({}, { now: new Date(2026, 10, 20, 15).getTime() });
  expect(
    ask(
      [
        { field: "time.weekday", operator: "==", value: "friday" },
        { field: "time.hour", operator: "==", value: 15 },
      ],
      subject,
    ),
  ).toBe(1);
});

test("extensions are small and without the dot; files without one have an empty one", () => {
  const subject = subjectOf();
  subject.setPart("files", [{ name: "a.b/Film.MKV" }, { name: "a.b/README" }]);
  expect(
    ask(
      [
        { field: "files.ext", operator: "==", value: "mkv" },
        { field: "files.ext", operator: "in", value: [""] },
      ],
      subject,
    ),
  ).toBe(1);
  expect(ask([{ field: "files.ext", operator: "==", value: "b/readme" }], subject)).toBe(0);
  expect(ask([{ field: "files.count", operator: "==", value: 2 }], subject)).toBe(1);
});

describe("who shares data", () => {
  const at = (hash: string, path: string) => torrent({ hash: hash.repeat(40), content_path: path });
  const sharers = (one: string, ...others: string[]) => {
    const torrents = [at("0", one), ...others.map((path, index) => at(String(index + 1), path))];
    const [first = torrent()] = torrents;
    const hashes = new LibraryIndex(torrents).sharing(first);
    return hashes.map((hash) => torrents.find((placed) => placed.hash === hash)?.content_path);
  };
  test.each([
    ["/data/film", ["/data/film"], ["/data/film"]],
    ["/data/film", ["/data/film/a.mkv"], ["/data/film/a.mkv"]],
    ["/data/film/a.mkv", ["/data/film"], ["/data/film"]],
    ["/data/film", ["/data/film2", "/data/fil", "/other/film"], []],
    ["C:\\data\\film", ["C:/data/film/"], ["C:/data/film/"]],
    ["/data/film", ["/data"], ["/data"]],
    ["", [""], []],
  ])("%j beside %j: %j", (one, others, expected) => {
    expect(sharers(one, ...others)).toEqual(expected);
  });
  test("info.cross_seeds counts them", () => {
    const library = new LibraryIndex([torrent(), torrent({ hash: "b".repeat(40) })]);
    expect(ask([{ field: "info.cross_seeds", operator: "==", value: 1 }], subjectOf({}, { library }))).toBe(
      1,
    );
  });
});
