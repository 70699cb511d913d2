import { describe, expect, test } from "vitest";
import { isLoopback, openSockets } from "../open-sockets.ts";
import { startNtfy } from "./ntfy.ts";
import { isMissing } from "./server-at-hand.ts";

describe.skipIf(await isMissing("ntfy"))("ntfy", () => {
  test("takes and returns messages, on the loopback address only", async () => {
    await using ntfy = await startNtfy();
    expect(await publish(`${ntfy.url}/topic`, "hello")).toBe(200);
    expect(await messages(`${ntfy.url}/topic`)).toEqual(["hello"]);
    const sockets = await openSockets(ntfy.pid);
    expect(sockets.map(({ port }) => port)).toContain(ntfy.port);
    expect(sockets.filter((socket) => !isLoopback(socket))).toEqual([]);
  });

  test("still has its messages after a restart", async () => {
    await using ntfy = await startNtfy();
    await publish(`${ntfy.url}/topic`, "hello");
    await ntfy.restart();
    expect(await messages(`${ntfy.url}/topic`)).toEqual(["hello"]);
  });

  test("lets in the users it was given, each where it may go, and nobody else", async () => {
    await using ntfy = await startNtfy({
      users: [
        { username: "admin", password: "of all topics" },
        { username: "writer", password: "of one", role: "user", access: { "news*": "write-only" } },
      ],
    });
    const admin = basic("admin:of all topics");
    const writer = basic("writer:of one");
    expect(await publish(`${ntfy.url}/news`, "from nobody")).toBe(403);
    expect(await publish(`${ntfy.url}/news`, "from a stranger", basic("admin:guess"))).toBe(401);
    expect(await publish(`${ntfy.url}/other`, "from admin", admin)).toBe(200);
    expect(await publish(`${ntfy.url}/news-1`, "from writer", writer)).toBe(200);
    expect(await publish(`${ntfy.url}/other`, "from writer", writer)).toBe(403);
  });

  test("has the limits it was given", async () => {
    const config = { "visitor-request-limit-burst": 2, "visitor-request-limit-replenish": "1h" };
    await using ntfy = await startNtfy({ config });
    const statuses = [];
    for (const message of ["one", "two", "three"]) statuses.push(await publish(`${ntfy.url}/topic`, message));
    expect(statuses).toEqual(expect.arrayContaining([429]));
  });
});

async function publish(topic: string, body: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(topic, { method: "POST", body, headers });
  await response.body?.cancel();
  return response.status;
}

async function messages(topic: string): Promise<string[]> {
  const lines = (await (await fetch(`${topic}/json?poll=1`)).text()).trim().split("\n");
  return lines.map((line): { message: string } => JSON.parse(line)).map(({ message }) => message);
}

function basic(credentials: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}
