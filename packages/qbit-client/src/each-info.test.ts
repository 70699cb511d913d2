import { startFakeQbittorrent } from "@qbit-sidecars/testing";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { QbitClient } from "./client.ts";
import type { Torrent } from "./torrent.ts";

async function each(client: QbitClient, query: Parameters<QbitClient["torrents"]["eachInfo"]>[0] = {}) {
  let torrents: Torrent[] = [];
  await client.torrents.eachInfo(query, () => {
    torrents = [];
    return (torrent) => void torrents.push(torrent);
  });
  return torrents;
}

test.each(["4.2.5", "4.5.2", "5.3.0"] as const)(
  "on %s torrents that are given one by one are those of the list",
  async (version) => {
    const names = ['"},{"', "back\\slash", "☃ 𝄞", "plain"];
    const torrents = names.map((name, at) => ({ name, stopped: at % 2 === 0 }));
    await using fake = await startFakeQbittorrent({ version, torrents });
    using client = new QbitClient({ url: fake.url });
    const queries = [{}, { hashes: [] }, { filter: "stopped" }, { filter: "stalled" }] as const;
    for (const query of queries) expect(await each(client, query)).toEqual(await client.torrents.info(query));
    expect((await each(client)).map(({ name }) => name).toSorted()).toEqual(names.toSorted());
  },
);

test("a list that broke off is asked for again, from its beginning", async () => {
  await using fake = await startFakeQbittorrent({ torrents: 200 });
  using client = new QbitClient({ url: fake.url });
  fake.faults.next("torrents/info", { kind: "truncated" });
  expect(await each(client)).toHaveLength(200);
  expect(fake.calls.count("torrents/info")).toBe(2);
});

/** Has its own thread, so that whole answers stand in the client's socket as those of a real one do. */
const listing = `
  const torrents = Array.from({ length: 4000 }, (_, at) => ({ hash: String(at).padStart(40, "0"), state: "stalledUP", name: "x".repeat(1200) }));
  const answers = { "/api/v2/app/version": "v5.0.2", "/api/v2/app/webapiVersion": "2.11.2", "/api/v2/torrents/info": JSON.stringify(torrents) };
  const server = require("node:http").createServer(({ url }, response) => response.end(answers[url.split("?")[0]] ?? "Ok."));
  server.listen(0, "127.0.0.1", () => require("node:worker_threads").parentPort.postMessage(server.address().port));`;

test("a long list whose torrents take their time leaves turns of the event loop to others", async () => {
  await using server = new Worker(listing, { eval: true });
  const [port] = (await once(server, "message")) as [number];
  using client = new QbitClient({ url: `http://127.0.0.1:${port}` });
  let now = 0;
  const turn = () => {
    now += 1;
    if (seen < 4000) setImmediate(turn);
  };
  let seen = 0;
  const taken = new Map<number, number>();
  await client.torrents.eachInfo({}, () => {
    turn();
    return () => {
      seen += 1;
      taken.set(now, (taken.get(now) ?? 0) + 1);
      burn(0.15);
    };
  });
  // A piece of 64 KiB holds 51 of them and takes longer than a turn may, so no turn has two; without, some have.
  expect(seen).toBe(4000);
  expect(Math.max(...taken.values())).toBeLessThan(80);
});

test("of clients that come at once while a long list is read, all are let in at the same break", async () => {
  await using server = new Worker(listing, { eval: true });
  const [port] = (await once(server, "message")) as [number];
  using client = new QbitClient({ url: `http://127.0.0.1:${port}` });
  const door = createServer().listen(0, "127.0.0.1");
  await once(door, "listening");
  const address = door.address();
  const doorPort = typeof address === "object" ? (address?.port ?? 0) : 0;
  let seen = 0;
  const letIn: number[] = [];
  door.on("connection", (socket) => {
    letIn.push(seen);
    socket.destroy();
  });
  const come = () => {
    for (let nth = 0; nth < 40; nth += 1) connect(doorPort, "127.0.0.1").on("error", () => {});
  };
  await client.torrents.eachInfo({}, () => (torrent) => {
    seen += 1;
    burn(0.15);
    if (torrent.hash.endsWith("1000")) come();
  });
  door.close();
  expect(letIn).toHaveLength(40);
  // Two pieces of the list are 102 torrents; one client at each break would have let the last one in at the end.
  expect(Math.max(...letIn) - Math.min(...letIn)).toBeLessThan(300);
});

function burn(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test("what is no list of torrents is refused, with its beginning in the message unless it is JSON", async () => {
  await using fake = await startFakeQbittorrent();
  using client = new QbitClient({ url: fake.url });
  const bodies = [
    "Fails.",
    "{}",
    "[1]",
    '[{"hash":"a"}]',
    '[{"hash":"a","state":"error"}',
    "<!doctype html>",
  ];
  for (const body of bodies) {
    fake.faults.set("torrents/info", { kind: "answer", status: 200, body });
    await expect(each(client), body).rejects.toThrow(
      body === "Fails." ? "not a list of torrents: Fails." : "not a list of torrents",
    );
  }
});

test("a session that qBittorrent forgot is renewed, and nothing is given twice", async () => {
  const auth = { username: "admin", password: "adminadmin" };
  await using fake = await startFakeQbittorrent({ auth, torrents: 3 });
  using client = new QbitClient({ url: fake.url, auth: { kind: "password", ...auth } });
  expect(await each(client)).toHaveLength(3);
  fake.dropSessions();
  expect(await each(client)).toHaveLength(3);
});
