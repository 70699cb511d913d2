import { QbitClient } from "@qbit-sidecars/qbit-client";
import { startFakeQbittorrent } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { pageEndpoints } from "./page-endpoints.ts";

test("torrents are found by any part of their name or the start of their id, the first ten by name, all counted", async () => {
  const torrents = Array.from({ length: 40 }, (_, at) => ({
    // Not in the order of their names.
    name: `Film ${String((at * 7) % 40).padStart(2, "0")}`,
    hash: at.toString(16).padStart(2, "0").repeat(20),
  }));
  await using fake = await startFakeQbittorrent({ torrents: [...torrents, { name: "Series" }] });
  using client = new QbitClient({ url: fake.url });
  const [endpoint] = pageEndpoints({ client, rulesPath: "/nowhere" });
  if (endpoint === undefined) throw new Error("there is no endpoint to find torrents by");
  const find = async (search: string) => {
    const { body } = await endpoint.answer({ params: { search }, id: "", body: undefined, isKnown: true });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what this endpoint answers
    const { total, torrents: first } = body as { total: number; torrents: { name: string }[] };
    return [total, first.map(({ name }) => name)];
  };
  const names = torrents.map(({ name }) => name).toSorted();
  expect(await find("film")).toEqual([40, names.slice(0, 10)]);
  expect(await find("series")).toEqual([1, ["Series"]]);
  expect(await find("0a".repeat(20))).toEqual([1, [torrents[10]?.name]]);
  expect(await find("nothing")).toEqual([0, []]);
  await fake.down();
  await expect(find("film")).rejects.toMatchObject({ status: 502 });
});
