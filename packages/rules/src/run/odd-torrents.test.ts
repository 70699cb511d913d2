import { QbitClient, type Torrent } from "@qbit-sidecars/qbit-client";
import { startFakeQbittorrent } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { fieldTable } from "../language/fields.ts";
import { operatorTable } from "../language/operators.ts";
import { loadRules } from "../load-rules.ts";
import { rule, rulesOf } from "../rules-under-test.ts";
import { actionCases } from "./actions-under-test.ts";
import { ClientQbittorrent } from "./client-qbittorrent.ts";
import { runJob } from "./run-job.ts";
import type { ListQuery } from "./seams.ts";

const odd = [undefined, null, "", "x", -1, -2, 0, 4_294_967_295, 1e300, true, [], ["a", 1], {}, { a: 1 }].map(
  (value) => ({ value }),
);
const hash = "0".repeat(40);
const values = ["x", 1, true, ["x"], [1, 2], "7 days", "1 GB", "a.*", "stoppedUP"];

/** The fake, except for what it says of its torrents. */
class Telling extends ClientQbittorrent {
  readonly #said: object;

  constructor(client: QbitClient, said: object) {
    super(client);
    this.#said = said;
  }

  override async each(_: ListQuery, begin: () => (torrent: Torrent) => void): Promise<void> {
    begin()(await Promise.resolve(this.#said as Torrent));
  }
}

/** Each field of the list with each operator that takes one of these values. */
const conditions = [...fieldTable().values()]
  .filter(({ name }) => name.startsWith("info."))
  .flatMap(({ name }) =>
    [...operatorTable().keys()].flatMap((operator) =>
      values
        .map((value) => ({ field: name, operator, value }))
        .filter((condition) => loadRules(JSON.stringify({ rules: [rule([condition])] })).ok)
        .slice(0, 1),
    ),
  );

const asking = conditions.map((condition, at) => ({ ...rule([condition]), name: `asks ${at}` }));
const doing = actionCases.map(({ action }, at) => ({
  ...rule([{ field: "info.hash", operator: "==", value: hash }], action),
  name: `does ${at}`,
}));
const ruleset = rulesOf({
  safety: { protected_tags: ["keep"], protected_categories: ["keep"], min_age: "1 day" },
  rules: [
    ...asking,
    ...doing,
    {
      ...rule([{ field: "info.hash", operator: "==", value: hash }], {
        type: "delete_torrent",
        params: { delete_files: true },
      }),
      name: "deletes",
    },
  ],
});

test.each(odd)(
  "a qBittorrent that says %j of everything is no reason to fail",
  { timeout: 60_000 },
  async (value) => {
    await using fake = await startFakeQbittorrent({ torrents: [{ name: "t", hash }] });
    using client = new QbitClient({ url: fake.url });
    const [torrent = {}] = fake.torrents;
    const said = Object.fromEntries(Object.keys(torrent).map((key) => [key, value]));
    const qbittorrent = new Telling(client, { ...said, hash, state: "stalledUP" });
    const { counters, held } = await runJob({}, { ruleset, qbittorrent });
    expect(counters.torrents_evaluated).toBe(1);
    expect(held.length + counters.actions_executed).toBeGreaterThan(0);
  },
);
