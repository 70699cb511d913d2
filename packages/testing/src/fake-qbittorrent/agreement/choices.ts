import fc from "fast-check";
import type { Params, Stage } from "./operation.ts";
import { poolIds } from "./torrent-pool.ts";

export const bool = fc.constantFrom("true", "false", "TRUE", "1", "");
export const count = fc.constantFrom("0", "1", "1024", "-1", "-2", "-5", "abc", "1.5", "99999999");

/** None that is reached at once: stopping torrents at their limits is not what the fake does. */
export const farLimits = fc.constantFrom("60", "-1", "-2", "-5", "99999999");

export const categories = fc.oneof(
  { weight: 2, arbitrary: fc.constant("films") },
  { weight: 1, arbitrary: fc.constantFrom("tv", "tv/new", "a b", "ünï", "/bad", "bad/", "x//y", "", "nope") },
);
export const tags = fc.constantFrom("one", "two", "one,two", " spaced ", "a/b", "ünï", ",", "", "One");
export const paths = ({ savePath }: Stage) =>
  fc.constantFrom("", "sub", `${savePath}/else`, "/proc/none", `${savePath}/else/`);

/** Ids that are there, ids that never are, and no ids at all. */
export const ids = fc.constantFrom(...Object.values(poolIds()), "f".repeat(40), "zz", "");
export const idLists = fc.oneof(
  { weight: 4, arbitrary: ids },
  { weight: 3, arbitrary: fc.array(ids, { minLength: 1, maxLength: 4 }).map((list) => list.join("|")) },
  { weight: 2, arbitrary: fc.constant("all") },
  { weight: 1, arbitrary: ids.map((id) => id.toUpperCase()) },
);

/** Mostly with everything in it; sometimes a needed parameter is missing. */
export function record(
  fields: Record<string, fc.Arbitrary<string>>,
  needed: readonly string[] = [],
): fc.Arbitrary<Params> {
  const model = fc.record(fields, { requiredKeys: [] });
  const everything = fc.record(fields, {
    requiredKeys: needed.length > 0 ? [...needed] : Object.keys(fields),
  });
  return fc
    .oneof({ weight: 1, arbitrary: model }, { weight: 9, arbitrary: everything })
    .map((params) => params as Params);
}
