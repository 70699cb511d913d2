import { describe, expect, test } from "vitest";
import { ask, nowMs, problemsOf, rule, subjectOf } from "../rules-under-test.ts";
import { truthNames } from "./truth.ts";

const seconds = nowMs / 1000;
const day = 86_400;

type Case = readonly [
  field: string,
  actual: unknown,
  operator: string,
  value: unknown,
  answer: "yes" | "no" | "unknown",
];

/** What a field of `torrents/info` holds → what the operator says. */
const scalars: readonly Case[] = [
  ["name", "Film", "==", "Film", "yes"],
  ["name", "Film", "==", "film", "no"],
  ["name", "Film", "!=", "film", "yes"],
  ["name", "Film", "!=", "Film", "no"],
  ["ratio", 1, "==", 1.0, "yes"],
  ["ratio", 1.5, "!=", 1.5, "no"],
  ["auto_tmm", true, "==", true, "yes"],
  ["auto_tmm", false, "==", true, "no"],
  ["hash", "ABCD".repeat(10), "==", "abcd".repeat(10), "yes"],
  ["ratio", 2, ">", 2, "no"],
  ["ratio", 2.1, ">", 2, "yes"],
  ["ratio", 2.1, ">", "2", "yes"],
  ["ratio", 2, ">=", 2, "yes"],
  ["ratio", 1.9, "<", 2, "yes"],
  ["ratio", 2, "<", 2, "no"],
  ["ratio", 2, "<=", 2, "yes"],
  ["size", 5e9, ">", "4 GB", "yes"],
  ["seeding_time", 8 * day, ">", "7 days", "yes"],
  ["ratio", 2, "between", [1, 2], "yes"],
  ["ratio", 2.1, "between", [1, 2], "no"],
  ["category", "tv", "in", ["tv", "movies"], "yes"],
  ["category", "TV", "in", ["tv"], "no"],
  ["category", "tv", "not_in", ["tv"], "no"],
  ["category", "tv", "not_in", ["movies"], "yes"],
  ["category", "tv", "in", "tv", "yes"],
  ["name", "A.Film", "contains", "Film", "yes"],
  ["name", "A.Film", "contains", "film", "no"],
  ["name", "A.Film", "contains", ["x", "Film"], "yes"],
  ["name", "A.Film", "not_contains", "film", "yes"],
  ["name", "A.Film", "not_contains", ["x", "Film"], "no"],
  ["name", "A.Film", "icontains", "fILM", "yes"],
  ["name", "A.Film", "starts_with", "A.", "yes"],
  ["name", "A.Film", "ends_with", "A.", "no"],
  ["name", "A.Film", "iequals", "a.film", "yes"],
  ["name", "A.Film.1080P", "matches", "(?i)1080p$", "yes"],
  ["name", "A.Film", "matches", "^Film", "no"],
  ["ratio", 0.5, "matches", "^0\\.5$", "yes"],
  ["auto_tmm", true, "matches", "^True$", "yes"],
  ["name", "A.Film", "not_matches", "(?i)film", "no"],
  ["name", "A.Film", "not_matches", "Movie", "yes"],
  ["completion_on", seconds - 31 * day, "older_than", "30 days", "yes"],
  ["completion_on", seconds - 30 * day, "older_than", "30 days", "no"],
  ["completion_on", seconds + day, "older_than", "30 days", "no"],
  ["completion_on", -1, "older_than", "1 second", "no"],
  ["completion_on", 0, "older_than", "1 second", "no"],
  ["completion_on", 4_294_967_295, "older_than", "1 second", "no"],
  ["completion_on", seconds - day, "newer_than", "2d", "yes"],
  ["completion_on", seconds - 2 * day, "newer_than", "2d", "no"],
  ["completion_on", seconds + day, "newer_than", "2d", "yes"],
  ["completion_on", -1, "newer_than", "2d", "no"],
  ["size", 700_000_001, "larger_than", "700 MB", "yes"],
  ["size", 700_000_000, "larger_than", "700MB", "no"],
  ["size", 1, "smaller_than", "1KB", "yes"],
  ["size", -1, "smaller_than", "1KB", "no"],
  ["size", 0, "smaller_than", "0MB", "no"],
  ["category", "", "is_empty", true, "yes"],
  ["category", "tv", "is_empty", true, "no"],
  ["category", "", "exists", true, "no"],
  ["category", "", "exists", false, "yes"],
  ["completion_on", -1, "exists", true, "no"],
  ["completion_on", seconds, "is_empty", false, "yes"],
  // Never is neither before nor after; who compares with 0 asks for it.
  ["completion_on", -1, "<", seconds, "no"],
  ["completion_on", 0, "<=", seconds, "no"],
  ["completion_on", 4_294_967_295, ">", seconds, "no"],
  ["completion_on", seconds - 1, "<", seconds, "yes"],
  ["completion_on", -1, "<=", 0, "yes"],
  // -1 is more than 9999 here, and "nobody knows" there.
  ["ratio", -1, "<", 1, "no"],
  ["ratio", -1, ">=", 2, "yes"],
  ["popularity", -1, "<", 1, "no"],
  ["availability", -1, "<", 1, "unknown"],
  ["availability", 0.5, "<", 1, "yes"],
  ["num_complete", -1, "<=", 2, "unknown"],
  ["num_incomplete", -1, "==", 0, "unknown"],
  ["state", "stoppedUP", "==", "pausedUP", "yes"],
  ["state", "stoppedUP", "in", ["pausedUP"], "yes"],
  ["state", "stoppedDL", "not_in", ["pausedDL"], "no"],
  ["state", "stoppedUP", "contains", "paused", "yes"],
  ["state", "stoppedUP", "not_contains", "paused", "no"],
  ["state", "stoppedUP", "matches", "^(paused|stopped)", "yes"],
  ["state", "uploading", "!=", "stoppedUP", "yes"],
];

describe("one value", () => {
  for (const [field, actual, operator, value, answer] of scalars) {
    test(`info.${field} holding ${JSON.stringify(actual)} ${operator} ${JSON.stringify(value)}: ${answer}`, () => {
      const subject = subjectOf({ [field]: actual });
      expect(truthNames[ask({ all: [{ field: `info.${field}`, operator, value }] }, subject)]).toBe(answer);
    });
  }
});

const byOperator: readonly (readonly [operator: string, value: unknown, onNull: "yes" | "no"])[] = [
  ["==", "x", "no"],
  ["!=", "x", "yes"],
  ["in", ["x"], "no"],
  ["not_in", ["x"], "yes"],
  ["contains", "x", "no"],
  ["not_contains", "x", "yes"],
  ["icontains", "x", "no"],
  ["iequals", "x", "no"],
  ["starts_with", "x", "no"],
  ["ends_with", "x", "no"],
  ["matches", "x", "no"],
  ["not_matches", "x", "yes"],
  ["is_empty", true, "yes"],
  ["exists", true, "no"],
];

describe("no value", () => {
  test.each(byOperator)("null %s %j: %s", (operator, value, answer) => {
    const subject = subjectOf({ comment: null as never });
    expect(truthNames[ask([{ field: "info.comment", operator, value }], subject)]).toBe(answer);
  });

  test.each(byOperator)("an empty collection %s %j: %s", (operator, value, answer) => {
    expect(truthNames[ask([{ field: "info.tags", operator, value }], subjectOf({ tags: "" }))]).toBe(answer);
  });

  test.each(byOperator)("what this qBittorrent does not tell %s %j: unknown", (operator, value) => {
    const subject = subjectOf({ comment: undefined as never });
    expect(truthNames[ask([{ field: "info.comment", operator, value }], subject)]).toBe("unknown");
  });

  test.each([">", "<", ">=", "<=", "between", "larger_than", "smaller_than"])(
    "null %s a number: no",
    (operator) => {
      const subject = subjectOf({ num_seeds: null as never, downloaded: null as never });
      const value = operator === "between" ? [0, 9] : 1;
      expect(truthNames[ask([{ field: "info.downloaded", operator, value }], subject)]).toBe("no");
    },
  );

  test.each(["", []])("info.tags == %j means that there are none", (value) => {
    const conditions = [{ field: "info.tags", operator: "==", value }];
    const negative = [{ field: "info.tags", operator: "!=", value }];
    expect([ask(conditions, subjectOf({ tags: "" })), ask(conditions, subjectOf())]).toEqual([1, 0]);
    expect([ask(negative, subjectOf({ tags: "" })), ask(negative, subjectOf())]).toEqual([0, 1]);
  });
});

describe("collections", () => {
  const trackers = (...statuses: number[]) => {
    const subject = subjectOf();
    subject.setPart(
      "trackers",
      statuses.map((status) => ({ url: "udp://t/announce", status, msg: "" })),
    );
    return subject;
  };
  const cases: readonly (readonly [statuses: number[], condition: object, answer: string])[] = [
    [[4, 2], { operator: "==", value: 4 }, "yes"],
    [[4, 2], { operator: "==", value: 4, match: "all" }, "no"],
    [[4, 4], { operator: "==", value: 4, match: "all" }, "yes"],
    [[4, 2], { operator: "==", value: 2, match: "none" }, "no"],
    [[4, 4], { operator: "==", value: 2, match: "none" }, "yes"],
    [[4, 2], { operator: "!=", value: 4 }, "no"],
    [[2, 2], { operator: "!=", value: 4 }, "yes"],
    [[4, 2], { operator: "!=", value: 4, match: "any" }, "yes"],
    [[4, 2], { operator: "not_in", value: [4, 5] }, "no"],
    [[4, 4, 2], { operator: "==", value: 4, match: "count", count: ">= 2" }, "yes"],
    [[4, 4, 2], { operator: "==", value: 4, match: "count", count: 3 }, "no"],
    [[4, 4, 2], { operator: "==", value: 4, match: "count", count: "< 3" }, "yes"],
    [[4, 4, 2], { operator: "==", value: 4, match: "count", count: "<= 1" }, "no"],
    [[4, 4, 2], { operator: "==", value: 4, match: "count", count: "> 1" }, "yes"],
    [[], { operator: "==", value: 4, match: "all" }, "no"],
    [[], { operator: "==", value: 4, match: "none" }, "yes"],
    [[], { operator: "==", value: 4, match: "count", count: 0 }, "yes"],
  ];
  test.each(cases)("trackers.status of %j with %j: %s", (statuses, condition, answer) => {
    expect(truthNames[ask([{ field: "trackers.status", ...condition }], trackers(...statuses))]).toBe(answer);
  });

  test("tags are compared whole, and searched one by one", () => {
    const subject = subjectOf({ tags: "private-hd, keep" });
    expect(ask([{ field: "info.tags", operator: "==", value: "private" }], subject)).toBe(0);
    expect(ask([{ field: "info.tags", operator: "contains", value: "priv" }], subject)).toBe(1);
    expect(ask([{ field: "info.tags", operator: "not_in", value: ["keep"] }], subject)).toBe(0);
  });
});

const refused: readonly (readonly [condition: object, words: string])[] = [
  [{ field: "info.name", operator: "==", value: 2024 }, "write it in quotes"],
  [{ field: "info.ratio", operator: "==", value: "x" }, "compared with a number"],
  [{ field: "info.ratio", operator: "==", value: null }, "is_empty"],
  [{ field: "info.auto_tmm", operator: "==", value: "yes" }, "true or false"],
  [{ field: "info.hash", operator: "==", value: "xyz" }, "hexadecimal"],
  [{ field: "info.state", operator: "in", value: ["stalledup"] }, "did you mean stalledUP"],
  [{ field: "info.state", operator: "==", value: "whatever" }, "one of error"],
  [{ field: "info.name", operator: ">", value: 3 }, "cannot be asked of info.name"],
  [{ field: "info.name", operator: "older_than", value: "7d" }, "cannot be asked of"],
  [{ field: "info.seeding_time", operator: "older_than", value: "7d" }, 'compare it with > and "7 days"'],
  [{ field: "info.ratio", operator: "contains", value: "1" }, "matches works on everything"],
  [{ field: "info.name", operator: "contains", value: 7 }, "takes a text"],
  [{ field: "info.name", operator: "matches", value: 7 }, "takes a pattern"],
  [{ field: "info.name", operator: "matches", value: "(" }, "not closed"],
  [{ field: "info.name", operator: "matches", value: "x(?i)" }, "belong at its start"],
  [{ field: "info.ratio", operator: "between", value: [2, 1] }, "smaller one first"],
  [{ field: "info.ratio", operator: "between", value: ["a", 1] }, "compared with a number"],
  [{ field: "info.ratio", operator: "between", value: 1 }, "two numbers"],
  [{ field: "info.name", operator: "exists", value: "yes" }, "takes true or false"],
  [{ field: "info.size", operator: "larger_than", value: "abc" }, "is no size"],
  [{ field: "info.added_on", operator: "older_than", value: "soon" }, "is no duration"],
  [{ field: "info.added_on", operator: "older_than", value: "5 fortnights" }, "is no duration"],
  [{ field: "info.added_on", operator: "older_than", value: -5 }, "is no duration"],
  [{ field: "info.name", operator: "==", value: "x", match: "all" }, "match is for collections"],
  [{ field: "info.tags", operator: "==", value: "x", match: "some" }, "match takes any"],
  [{ field: "info.tags", operator: "==", value: "x", match: "count" }, "match: count needs"],
  [{ field: "info.tags", operator: "==", value: "x", count: 1 }, "count stands with"],
  [{ field: "info.tags", operator: "==", value: "x", match: "any", count: 1 }, "count stands with"],
];

test.each(refused)("the condition %j is refused: %s", (condition, words) => {
  expect(problemsOf({ rules: [rule([condition])] }).join("\n")).toContain(words);
});
