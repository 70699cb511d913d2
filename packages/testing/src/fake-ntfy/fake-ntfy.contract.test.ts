import { describe, expect, test } from "vitest";
import { startNtfy } from "../servers/ntfy.ts";
import { isMissing } from "../servers/server-at-hand.ts";
import { startFakeNtfy } from "./fake-ntfy.ts";
import { readTopic } from "./messages.ts";
import { showOnPhone } from "./phone.ts";

type Started = AsyncDisposable & { url: string };
type Limits = { burst?: number; daily?: number };

const servers: [string, boolean, (version: "2.11.0" | "2.27.0", limits?: Limits) => Promise<Started>][] = [
  ["the fake", false, (version, limits) => startFakeNtfy({ version, refillMs: 3_600_000, ...limits })],
  [
    "ntfy",
    (await isMissing("ntfy")) || (await isMissing("ntfy 2.11.0")),
    (version, { burst = 60, daily } = {}) =>
      startNtfy({
        version,
        config: {
          "visitor-request-limit-burst": burst,
          "visitor-request-limit-replenish": "1h",
          ...(daily === undefined ? {} : { "visitor-message-daily-limit": daily }),
        },
      }),
  ],
];

async function post(url: string, json: unknown) {
  const body = typeof json === "string" ? json : JSON.stringify(json);
  const response = await fetch(url, { method: "POST", body });
  const { headers, status } = response;
  return {
    status,
    retryAfter: headers.get("retry-after"),
    answer: (await response.json()) as Record<string, unknown>,
  };
}

describe.each(servers)("%s", (_name, isAbsent, start) => {
  test.skipIf(isAbsent)("tells everybody its health, who they are and whether they may read", async () => {
    await using ntfy = await start("2.27.0");
    const ask = async (path: string) => await (await fetch(`${ntfy.url}/${path}`)).json();
    expect(await ask("v1/health")).toEqual({ healthy: true });
    expect(await ask("v1/account")).toMatchObject({ username: "*", role: "anonymous" });
    expect(await ask("downloads/auth")).toEqual({ success: true });
  });

  test.skipIf(isAbsent)("updates in place by sequence id, and takes a card off", async () => {
    await using ntfy = await start("2.27.0");
    const first = await post(ntfy.url, { topic: "t", sequence_id: "a", title: "one", message: "1" });
    expect(first.answer).toMatchObject({
      event: "message",
      topic: "t",
      sequence_id: "a",
      title: "one",
      message: "1",
    });
    await post(ntfy.url, { topic: "t", sequence_id: "a", message: "2", priority: 2, tags: ["x", "y"] });
    await post(ntfy.url, { topic: "t", sequence_id: "b", message: "3", priority: 4 });
    expect(showOnPhone(await readTopic(ntfy.url, "t")).cards.map(({ message }) => message)).toEqual([
      "2",
      "3",
    ]);
    const removed = await fetch(`${ntfy.url}/t/a`, { method: "DELETE" });
    expect(await removed.json()).toMatchObject({ event: "message_delete", sequence_id: "a", topic: "t" });
    const messages = await readTopic(ntfy.url, "t");
    expect(messages.map(({ event }) => event)).toEqual(["message", "message", "message", "message_delete"]);
    expect(messages[1]).toMatchObject({ priority: 2, tags: ["x", "y"] });
    const { cards, sounds } = showOnPhone(messages);
    expect(cards.map(({ sequence }) => sequence)).toEqual(["b"]);
    expect(sounds.map(({ message }) => message)).toEqual(["1", "3"]);
  });

  test.skipIf(isAbsent)("of a version before 2.16 ignores sequence ids and cannot delete", async () => {
    await using ntfy = await start("2.11.0");
    const { status, answer } = await post(ntfy.url, { topic: "t", sequence_id: "a", message: "1" });
    expect([status, answer["sequence_id"]]).toEqual([200, undefined]);
    const response = await fetch(`${ntfy.url}/t/a`, { method: "DELETE" });
    expect([response.status, ((await response.json()) as { code: number }).code]).toEqual([404, 40_401]);
  });

  test.skipIf(isAbsent).each([
    ["no JSON", "{", [400, 40_024]],
    ["a priority as a word", { topic: "t", priority: "high" }, [400, 40_024]],
    ["a bad topic", { topic: "a b" }, [400, 40_009]],
    ["a topic of its own", { topic: "docs" }, [400, 40_010]],
    ["a priority of 9", { topic: "t", message: "x", priority: 9 }, [400, 40_007]],
    ["a bad sequence id", { topic: "t", message: "x", sequence_id: "a b" }, [400, 40_049]],
    ["more than 8 KB", { topic: "t", message: "x".repeat(9000) }, [413, 41_303]],
  ])("refuses %s", async (_what, json, refusal) => {
    await using ntfy = await start("2.27.0");
    const refused = await post(ntfy.url, json);
    expect([refused.status, refused.answer["code"]]).toEqual(refusal);
  });

  test.skipIf(isAbsent)(
    "takes so many requests at once, then answers 429 without a time to come back",
    async () => {
      await using ntfy = await start("2.27.0", { burst: 3 });
      const answers = [];
      for (let at = 0; at < 5; at += 1)
        answers.push(await post(ntfy.url, { topic: "t", message: String(at) }));
      expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 429]));
      expect(answers.at(-1)).toMatchObject({ status: 429, retryAfter: null, answer: { code: 42_901 } });
    },
  );

  test.skipIf(isAbsent)("has a quota for the day", async () => {
    await using ntfy = await start("2.27.0", { daily: 2 });
    const answers = [];
    for (let at = 0; at < 3; at += 1) answers.push(await post(ntfy.url, { topic: "t", message: String(at) }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers[2]?.answer["code"]).toBe(42_908);
    expect(await readTopic(ntfy.url, "t")).toHaveLength(2);
  });
});
