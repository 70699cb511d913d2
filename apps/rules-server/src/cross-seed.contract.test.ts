import { startFakeQbittorrent } from "@qbit-sidecars/testing";
import { expect, test, vi } from "vitest";
import { backendsAtHand } from "./backends-under-test.ts";
import { startServerUnderTest, testKey } from "./server-under-test.ts";

vi.setConfig({ testTimeout: 60_000 });

const [film, series, other] = ["a".repeat(40), "b".repeat(40), "c".repeat(40)];
const torrents = [film, series, other].map((hash) => ({ hash, name: `t-${hash.slice(0, 1)}` }));

/** As the README shows them. */
const rules = `
rules:
  - name: what cross-seed found
    context: cross_seed
    conditions: [{ field: info.name, operator: starts_with, value: t- }]
    actions:
      - { type: set_category, params: { category: cross-seed } }
      - { type: add_tag, params: { tag: CS-tracker1 } }
`;

/** As cross-seed 6 and 7 send it (`src/pushNotifier.ts` there). */
function notification(extra: object) {
  return {
    title: "cross-seed",
    body: "webhook: Injected t-a on 2 trackers by MATCH from torrentClient: tracker1, tracker2",
    extra: {
      event: "RESULTS",
      name: "t-a",
      infoHashes: [film, series],
      trackers: ["tracker1", "tracker2"],
      source: "webhook",
      result: "INJECTED",
      paused: false,
      decisions: ["MATCH", "MATCH"],
      searchee: {
        category: "films",
        tags: [],
        trackers: ["tracker0"],
        length: 5,
        clientHost: "127.0.0.1:8080",
        infoHash: other,
        path: null,
        source: "torrentClient",
      },
      ...extra,
    },
  };
}

test.each(backendsAtHand)(
  "what cross-seed injects is told by it, and its rules run for just these torrents, the queue in $name",
  async ({ start }) => {
    await using store = await start();
    await using fake = await startFakeQbittorrent({ torrents });
    await using server = await startServerUnderTest({ qbittorrent: fake.url, rules, env: store.env });
    const tell = async (body: unknown, query = `?key=${testKey}`, headers: Record<string, string> = {}) => {
      const response = await fetch(`${server.url}/api/webhooks/cross-seed${query}`, {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "content-type": "application/json", "user-agent": "CrossSeed/6.13.0", ...headers },
      });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the API answers, for the test to look into
      const answer = (await response.json()) as { jobs: { job_id: string; hash: string }[]; message: string };
      return { status: response.status, ...answer };
    };

    const { status, jobs } = await tell(notification({}));
    expect(status).toBe(202);
    expect(jobs).toMatchObject([
      { hash: film, context: "cross_seed" },
      { hash: series, context: "cross_seed" },
    ]);
    for (const { job_id: id } of jobs)
      expect(await server.over(id)).toMatchObject({
        status: "completed",
        result: { rules_matched: 1, actions_executed: 2 },
      });
    const marked = fake.torrents.filter(({ tags }) => tags === "CS-tracker1");
    expect(marked.map(({ hash, category }) => [hash, category])).toEqual([
      [film, "cross-seed"],
      [series, "cross-seed"],
    ]);

    // By hand, or from a script, as the plan of qbt-rules 0.4 has it.
    expect(await server.done(`context=cross_seed&hash=${other}`)).toMatchObject({
      result: { rules_matched: 1 },
    });

    const planned = await tell(notification({}), `?key=${testKey}&context=other&dry_run=true&delay=600`);
    expect(planned.jobs).toMatchObject([{ context: "other", dry_run: true }, {}]);

    // An entry that is an object has headers, `message` beside `body`, and whatever its `payload` says.
    const object = { ...notification({}), message: "webhook: Injected t-a", tag: "seedbox" };
    expect(await tell(object, "?dry_run=true", { "x-api-key": testKey })).toMatchObject({
      status: 202,
      jobs: [{ hash: film }, { hash: series }],
    });

    for (const extra of [{ result: "SAVED" }, { result: "FAILURE" }, { infoHashes: [] }])
      expect(await tell(notification(extra))).toMatchObject({ status: 202, jobs: [] });
    expect(
      await tell({ title: "cross-seed", body: "Test", message: "Test", extra: { event: "TEST" } }),
    ).toMatchObject({ status: 202, jobs: [] });

    expect(await tell(notification({}), "?key=wrong")).toMatchObject({ status: 401 });
    expect(await tell(notification({}), "")).toMatchObject({ status: 401 });
    for (const wrong of [
      {},
      [],
      "nonsense",
      { extra: { infoHashes: [film] } },
      notification({ infoHashes: [1] }),
    ])
      expect(await tell(wrong)).toMatchObject({ status: 400 });
    expect(await tell(notification({ infoHashes: ["-"] }))).toMatchObject({
      status: 400,
      message: expect.stringContaining("Invalid hash"),
    });
  },
);
