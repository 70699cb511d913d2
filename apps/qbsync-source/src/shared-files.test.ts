import * as fc from "fast-check";
import { expect, test } from "vitest";
import { groupsOf } from "./shared-files.ts";

test("torrents with a file in common are together, also by way of a third", () => {
  const groups = groupsOf([
    { id: "a", files: ["1", "2"] },
    { id: "b", files: ["3"] },
    { id: "c", files: ["2", "4"] },
    { id: "d", files: ["4"] },
    { id: "e", files: [] },
  ]);
  expect(groups).toEqual([["a", "c", "d"], ["b"], ["e"]]);
});

test("each torrent is in one group, and no file is in two", () => {
  const files = fc.array(fc.integer({ min: 0, max: 15 }).map(String), { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(files, { maxLength: 20 }), (lists) => {
      const torrents = lists.map((list, index) => ({ id: String(index), files: list }));
      const groups = groupsOf(torrents);
      expect(groups.flat().toSorted()).toEqual(torrents.map(({ id }) => id).toSorted());
      const owners = groups.map((ids) => new Set(ids.flatMap((id) => lists[Number(id)] ?? [])));
      for (const [index, own] of owners.entries())
        for (const other of owners.slice(index + 1)) expect(own.isDisjointFrom(other)).toBe(true);
    }),
  );
});
