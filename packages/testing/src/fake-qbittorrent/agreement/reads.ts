import fc from "fast-check";
import { bool, categories, idLists, ids, record, tags } from "./choices.ts";
import { type Operation, type Params, type Stage, isOld } from "./operation.ts";

const filterNames =
  "all downloading seeding completed paused stopped resumed running active inactive stalled errored nonsense";

const oneFilter: fc.Arbitrary<Params> = fc.oneof(
  fc.constantFrom(...filterNames.split(" ")).map((filter) => ({ filter })),
  categories.map((category) => ({ category })),
  tags.map((tag) => ({ tag })),
  idLists.map((hashes) => ({ hashes })),
);

const pages: fc.Arbitrary<Params> = fc.oneof(
  fc.constantFrom("1", "2", "-1", "x").map((limit) => ({ limit })),
  fc.constantFrom("1", "-1", "50", "-50", "x").map((offset) => ({ offset })),
  fc.constantFrom({ limit: "2", offset: "1" }, { limit: "1", offset: "-2" }),
);

/** 4.2 takes any column, and then any torrent comes first. */
function sortings(stage: Stage): fc.Arbitrary<Params> {
  const byHash = bool.map((reverse): Params => ({ sort: "hash", reverse }));
  const byNothing = fc.constant<Params>({ sort: "nonsense" });
  return isOld(stage)
    ? byHash
    : fc.oneof({ weight: 9, arbitrary: byHash }, { weight: 1, arbitrary: byNothing });
}

export function reads(stage: Stage): fc.Arbitrary<Operation> {
  const perTorrent = ["properties", "files", "trackers", "webseeds", "pieceStates", "pieceHashes"];
  const about = fc
    .tuple(fc.constantFrom(...perTorrent), record({ hash: ids }))
    .map(([action, params]): Operation => ({ kind: "read", name: `torrents/${action}`, params }));
  const info = fc
    .tuple(
      fc.array(oneFilter, { minLength: 1, maxLength: 2 }),
      fc.option(pages, { nil: {} }),
      sortings(stage),
    )
    .map(([filters, page, sorting]): Operation => {
      return {
        kind: "read",
        name: "torrents/info",
        params: { ...sorting, ...Object.assign({}, ...filters), ...page },
      };
    });
  const limits = fc
    .tuple(fc.constantFrom("torrents/uploadLimit", "torrents/downloadLimit"), record({ hashes: idLists }))
    .map(([name, params]): Operation => ({ kind: "read", name, params }));
  const plain = fc
    .constantFrom(
      "app/preferences",
      "app/defaultSavePath",
      "app/webapiVersion",
      "transfer/info",
      "transfer/uploadLimit",
      "transfer/downloadLimit",
      "transfer/speedLimitsMode",
      "torrents/categories",
      "torrents/tags",
      "torrents/info",
      "torrents/count",
    )
    .map((name): Operation => ({
      kind: "read",
      name,
      params: name === "torrents/info" ? { sort: "hash" } : {},
    }));
  // 4.2 has two ways to say that there is none.
  return fc.oneof(about, { weight: 2, arbitrary: info }, ...(isOld(stage) ? [] : [limits]), plain);
}
