import { startFakeQbittorrent } from "@qbit-sidecars/testing";
import { QbitClient } from "@qbit-sidecars/qbit-client";
import { createServer } from "node:http";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { rule, rulesOf } from "../rules-under-test.ts";
import { ClientQbittorrent } from "./client-qbittorrent.ts";
import { nodeOutside } from "./node-outside.ts";
import { runJob } from "./run-job.ts";
import type { Outside, OutsideRequest } from "./seams.ts";
import type { OutsideSettings } from "./send-outside.ts";

const every = [{ field: "info.name", operator: "starts_with", value: "t" }];
const hash = (at: number) => at.toString(16).padStart(40, "a");

/** Runs one action on torrents and gives what was sent. */
async function sent(
  action: object,
  {
    count = 1,
    settings = {},
    answer = () => ({ status: 200, body: "{}" }),
  }: {
    count?: number;
    settings?: OutsideSettings;
    answer?: (request: OutsideRequest) => { status: number; body: string };
  } = {},
) {
  await using fake = await startFakeQbittorrent({
    torrents: Array.from({ length: count }, (_, at) => ({ name: `t${at} @everyone <b>`, hash: hash(at) })),
  });
  using client = new QbitClient({ url: fake.url });
  const requests: OutsideRequest[] = [];
  const outside: Outside = {
    ...nodeOutside,
    send: async (request) => {
      requests.push(request);
      return await Promise.resolve(answer(request));
    },
  };
  const options = {
    ruleset: rulesOf({ rules: [rule(every, action)] }),
    qbittorrent: new ClientQbittorrent(client),
    outside,
    outsideSettings: settings,
  };
  return { requests, ...(await runJob({}, options)) };
}

function bodyOf(request: OutsideRequest | undefined): unknown {
  return JSON.parse(request?.body ?? "null");
}

describe("notify", () => {
  const url = "http://hooks.example/x";
  test("discord gets the text, and nobody is woken by a name", async () => {
    const { requests } = await sent({
      type: "notify",
      params: { service: "discord", url, message: "Done: {name} by ${rule.name}" },
    });
    expect(bodyOf(requests[0])).toEqual({
      content: "Done: t0 @everyone <b> by a rule",
      allowed_mentions: { parse: [] },
    });
  });
  test("slack gets its characters quoted", async () => {
    const { requests } = await sent({
      type: "notify",
      params: { service: "slack", url, message: "${info.name}" },
    });
    expect(bodyOf(requests[0])).toEqual({ text: "t0 @everyone &lt;b>" });
  });
  test("ntfy gets plain text, at the configured address if the rule has none", async () => {
    const { requests } = await sent(
      { type: "notify", params: { service: "ntfy", message: "hi" } },
      { settings: { notifyUrl: url } },
    );
    expect(requests).toMatchObject([
      { method: "POST", url, headers: { "content-type": "text/plain; charset=utf-8" }, body: "hi" },
    ]);
  });
  test("generic gets the message, or the body of the rule", async () => {
    const { requests } = await sent({ type: "notify", params: { url } });
    expect(bodyOf(requests[0])).toEqual({ message: "a rule: t0 @everyone <b>" });
    const own = await sent({ type: "notify", params: { url, body: { a: ["${info.hash}", 1] } } });
    expect(bodyOf(own.requests[0])).toEqual({ a: [hash(0), 1] });
  });
  test("more than five torrents are one message", async () => {
    expect((await sent({ type: "notify", params: { url } }, { count: 5 })).requests).toHaveLength(5);
    const { requests, counters } = await sent(
      { type: "notify", params: { url, message: "{name}" } },
      { count: 12 },
    );
    expect(requests).toHaveLength(1);
    expect(bodyOf(requests[0])).toEqual({
      message: expect.stringMatching(/^12 torrents:\n[^]*… and 2 more$/),
    });
    expect(counters).toMatchObject({ actions_executed: 12, errors: 0 });
  });
  test("without an address, and refused, it is an error of the job", async () => {
    expect((await sent({ type: "notify" })).entries[0]?.error).toContain(
      "neither the rule nor the configuration",
    );
    const refused = await sent(
      { type: "notify", params: { url } },
      { answer: () => ({ status: 500, body: "" }) },
    );
    expect(refused.entries[0]?.error).toContain("the answer was 500");
  });
});

test("webhook sends hash, name and rule unless told otherwise", async () => {
  const { requests } = await sent({ type: "webhook", params: { url: "http://hooks.example/x" } });
  expect(bodyOf(requests[0])).toEqual({ hash: hash(0), name: "t0 @everyone <b>", rule: "a rule" });
});

test.each([
  [{}, ["t0"], 1],
  [{ once: false }, ["t0"], 2],
  [{}, [], 2],
])(
  "with %j, of torrents that were told of before (%j) there is no second message",
  async (params, told, count) => {
    await using fake = await startFakeQbittorrent({ torrents: [{ name: "t0" }, { name: "t1" }] });
    using client = new QbitClient({ url: fake.url });
    const requests: OutsideRequest[] = [];
    const outside: Outside = {
      ...nodeOutside,
      send: async (request) => {
        requests.push(request);
        return await Promise.resolve({ status: 200, body: "" });
      },
    };
    const names = new Map(fake.torrents.map((torrent) => [torrent.hash, torrent.name]));
    const ruleset = rulesOf({
      rules: [rule(every, { type: "notify", params: { url: "http://x", ...params } })],
    });
    const wasTold = (by: string, torrent: string) =>
      by === "a rule" && told.some((name) => name === names.get(torrent));
    await runJob({}, { ruleset, qbittorrent: new ClientQbittorrent(client), outside, wasTold });
    expect(requests).toHaveLength(count);
  },
);

describe("arr_blocklist", () => {
  const settings = { sonarr: { url: "http://sonarr/", apiKey: "key" } };
  const queue = {
    records: [
      { id: 7, downloadId: hash(0).toUpperCase(), episodeId: 3 },
      { id: 8, downloadId: "X" },
      { id: 9, downloadId: hash(0).toUpperCase(), episodeId: 4 },
    ],
  };
  const answer = ({ method }: OutsideRequest) => ({
    status: 200,
    body: method === "GET" ? JSON.stringify(queue) : "",
  });
  test("blocklists every item of the download, keeps the torrent, and searches", async () => {
    const { requests, counters } = await sent(
      { type: "arr_blocklist", params: { service: "sonarr" } },
      { settings, answer },
    );
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET http://sonarr/api/v3/queue?page=1&pageSize=250",
      "DELETE http://sonarr/api/v3/queue/7?removeFromClient=false&blocklist=true&skipRedownload=true",
      "DELETE http://sonarr/api/v3/queue/9?removeFromClient=false&blocklist=true&skipRedownload=true",
      "POST http://sonarr/api/v3/command",
    ]);
    expect(requests.every(({ headers }) => headers?.["x-api-key"] === "key")).toBe(true);
    expect(bodyOf(requests[3])).toEqual({ name: "EpisodeSearch", episodeIds: [3, 4] });
    expect(counters).toMatchObject({ errors: 0 });
  });
  test("what is not in the queue was dealt with; radarr searches films", async () => {
    const params = { service: "radarr", url: "http://radarr", api_key: "k" };
    const none = await sent(
      { type: "arr_blocklist", params },
      { answer: () => ({ status: 200, body: '{"records":[]}' }) },
    );
    expect([none.requests.length, none.counters.errors]).toEqual([1, 0]);
    const film = { records: [{ id: 1, downloadId: hash(0), movieId: 5 }] };
    const found = await sent(
      { type: "arr_blocklist", params },
      { answer: () => ({ status: 200, body: JSON.stringify(film) }) },
    );
    expect(bodyOf(found.requests.at(-1))).toEqual({ name: "MoviesSearch", movieIds: [5] });
  });
  test.each([
    [{}, () => ({ status: 200, body: "{}" }), "neither in the rule nor configured"],
    [settings, () => ({ status: 401, body: "" }), "the answer was 401"],
    [settings, () => ({ status: 200, body: "<html>" }), "its queue was not understood"],
    [settings, () => ({ status: 200, body: "[]" }), "its queue was not understood"],
  ])("with settings %j a failure is an error of the job", async (given, reply, words) => {
    const { entries } = await sent(
      { type: "arr_blocklist", params: { service: "sonarr" } },
      { settings: given, answer: reply },
    );
    expect(entries[0]?.error).toContain(words);
  });
  test("a rule that lets it remove the torrent counts as one that deletes", () => {
    const action = { type: "arr_blocklist", params: { service: "sonarr", remove_from_client: true } };
    expect(rulesOf({ rules: [rule(every, action)] }).rules[0]?.isDestructive).toBe(true);
  });
});

test("requests reach a server as they are, and its answer comes back", async () => {
  const server = createServer(
    (request, response) =>
      void request.on("data", (data: Buffer) =>
        response.writeHead(201).end(`${request.method} ${request.url} ${data.toString()}`),
      ),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const answer = await nodeOutside.send({ method: "POST", url: `http://127.0.0.1:${port}/a?b`, body: "{}" });
  expect(answer).toEqual({ status: 201, body: "POST /a?b {}" });
  server.close();
  server.closeAllConnections();
  await expect(nodeOutside.send({ method: "GET", url: `http://127.0.0.1:${port}/` })).rejects.toThrow(
    /ECONNREFUSED|hang up/,
  );
});
