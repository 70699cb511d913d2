import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { startTrackServer } from "./track-server.ts";

const hash = "A1".repeat(20);

async function serve(token?: string) {
  const heard: string[] = [];
  const tracked = new Set<string>();
  const server = await startTrackServer({
    address: { host: "127.0.0.1", port: 0 },
    token,
    hooked: {
      track(ref, { finished }) {
        heard.push(`${finished ? "done" : "track"} ${ref}`);
        const known = tracked.has(ref);
        tracked.add(ref);
        return known ? "already" : "started";
      },
      scan: () => void heard.push("scan"),
    },
  });
  const ask = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(server.url + path, { method, headers });
    return [response.status, await response.text()];
  };
  return { heard, ask, url: server.url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe("the document's answers", () => {
  test("to another method than POST", async () => {
    await using at = await serve();
    expect(await at.ask("GET", `/track?hash=${hash}`)).toEqual([405, "Method Not Allowed\n"]);
  });

  test("without a hash", async () => {
    await using at = await serve();
    expect(await at.ask("POST", "/track")).toEqual([400, "Missing hash param\n"]);
    expect(await at.ask("POST", "/track?hash=")).toEqual([400, "Missing hash param\n"]);
  });

  test("to a torrent, and to the same one again", async () => {
    await using at = await serve();
    expect(await at.ask("POST", `/track?hash=${hash}`)).toEqual([200, `Tracking started for ${hash}`]);
    expect(await at.ask("POST", `/track?hash=${hash}`)).toEqual([200, `Already tracking ${hash}`]);
    expect(at.heard).toEqual([`track ${hash.toLowerCase()}`, `track ${hash.toLowerCase()}`]);
  });
});

test.each(["all", "x".repeat(40), "a".repeat(39), `${"a".repeat(40)}|${"b".repeat(40)}`, "../../x"])(
  "what is no infohash starts nothing: %s",
  async (given) => {
    await using at = await serve();
    expect((await at.ask("POST", `/track?hash=${encodeURIComponent(given)}`))[0]).toBe(400);
    expect(at.heard).toEqual([]);
  },
);

test("a hash that qBittorrent has not is a reason to look for the torrent", async () => {
  await using at = await serve();
  expect((await at.ask("POST", "/track?hash=-"))[0]).toBe(202);
  expect(at.heard).toEqual(["scan"]);
});

test("a web page cannot make it track", async () => {
  await using at = await serve();
  expect((await at.ask("POST", `/track?hash=${hash}`, { origin: "https://evil.example" }))[0]).toBe(403);
  expect(at.heard).toEqual([]);
});

test("with a token only who shows it is heard", async () => {
  await using at = await serve("s3cret");
  expect((await at.ask("POST", `/track?hash=${hash}`))[0]).toBe(401);
  expect((await at.ask("POST", `/track?hash=${hash}`, { authorization: "Bearer s3crex" }))[0]).toBe(401);
  expect((await at.ask("POST", `/done?hash=${hash}&token=s3cret`))[0]).toBe(200);
  expect((await at.ask("POST", `/track?hash=${hash}`, { authorization: "Bearer s3cret" }))[0]).toBe(200);
  expect(at.heard).toHaveLength(2);
});

test("BusyBox's wget, for images without curl, is answered and let go", async () => {
  await using at = await serve();
  const { hostname, port } = new URL(at.url);
  const socket = connect(Number(port), hostname);
  // wget -q -O- --post-data= "http://…", as BusyBox 1.36 sends it.
  socket.write(
    `POST /track?hash=${hash}&v2=-&id=${hash} HTTP/1.1\r\nHost: localhost:9090\r\nUser-Agent: Wget\r\n` +
      "Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n",
  );
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/u);
  expect(answer).toContain(`Tracking started for ${hash}`);
});

test("nothing else is served", async () => {
  await using at = await serve();
  expect((await at.ask("POST", "/"))[0]).toBe(404);
  expect((await at.ask("GET", "/metrics"))[0]).toBe(404);
});
