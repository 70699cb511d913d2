import { FakeClock, tempDir } from "@qbit-sidecars/testing";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { PortChange } from "./port-changes.ts";
import { ChangeTeller, command, tellChanges, webhook } from "./tell-change.ts";
import { memoryLog } from "./test-log.ts";

const { signal } = new AbortController();
const change: PortChange = {
  at: new Date(0),
  from: 6881,
  to: 51_413,
  kind: "set",
  why: "it listened on 6881",
};

describe("the command", () => {
  test("gets the ports as words and in its environment, which holds nothing else but PATH", async () => {
    await using dir = await tempDir();
    const out = join(dir.path, "out");
    const node = process.execPath;
    const script =
      "require('fs').writeFileSync(process.argv[1], JSON.stringify([process.argv.slice(2), process.env]))";
    await command(`${node} -e "${script}" '${out}' {{PORT}} "was {{PREVIOUS_PORT}}" $HOME`)(change, signal);
    const [args, env] = JSON.parse(await readFile(out, "utf8")) as [string[], Record<string, string>];
    expect(args).toEqual(["51413", "was 6881", "$HOME"]);
    expect(env).toEqual({ PATH: expect.any(String), PORT: "51413", PREVIOUS_PORT: "6881" });
  });

  test.each(["/no/such/program", "false", ""])(
    "that cannot be run or fails is an error that names it: %j",
    async (line) => {
      await expect(command(line)(change, signal)).rejects.toThrow(
        /^running ON_CHANGE_COMMAND .*: (it ended|E)/u,
      );
    },
  );

  test("that is killed is told with what killed it", async () => {
    await expect(command("sh -c 'kill -9 $$'")(change, signal)).rejects.toThrow("it was ended by SIGKILL");
  });

  test("may print as much as it likes", async () => {
    await expect(command("seq 1000000")(change, signal)).resolves.toBeUndefined();
  });
});

describe("the webhook", () => {
  test("gets the change as JSON", async () => {
    const bodies: unknown[] = [];
    await using server = await serve((body) => bodies.push(JSON.parse(body)));
    await webhook(server.url)(change, signal);
    expect(bodies).toEqual([
      {
        port: 51_413,
        previous_port: 6881,
        kind: "set",
        why: "it listened on 6881",
        at: "1970-01-01T00:00:00.000Z",
      },
    ]);
  });

  test("may answer without end: nobody reads its body", async () => {
    let written = 0;
    const server = createServer((_request, response) => {
      const more = (): void => {
        while (response.writable && response.write(" ".repeat(65_536))) written += 65_536;
        if (response.writable) response.once("drain", more);
      };
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await webhook(`http://127.0.0.1:${port}/`)(change, signal);
    server.closeAllConnections();
    server.close();
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  test("that refuses is an error with its status", async () => {
    const server = createServer((_request, response) => response.writeHead(503).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const told = webhook(`http://127.0.0.1:${port}/`)(change, signal);
    await expect(told).rejects.toThrow("posting to WEBHOOK_URL: it answered 503");
    server.closeAllConnections();
    server.close();
  });

  test("that fails is an error without its URL, which may hold a secret", async () => {
    const secret = "http://127.0.0.1:1/hooks/t0p-s3cret";
    const error = await webhook(secret)(change, signal).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain("t0p-s3cret");
    expect(String((error as Error).cause)).not.toContain("t0p-s3cret");
  });
});

describe("telling", () => {
  test("tells the newest change once to everybody, and again only to who has not heard it", async () => {
    const heard: string[] = [];
    let deaf = true;
    const teller = new ChangeTeller([
      ({ to }) => {
        heard.push(`first ${to}`);
        return Promise.resolve();
      },
      ({ to }) => {
        if (deaf) return Promise.reject(new Error("deaf"));
        heard.push(`second ${to}`);
        return Promise.resolve();
      },
    ]);
    expect(await teller.step(signal)).toEqual({ converged: true });
    teller.tell({ ...change, to: 1 });
    teller.tell({ ...change, to: 2 });
    await expect(teller.step(signal)).rejects.toThrow("deaf");
    deaf = false;
    await teller.step(signal);
    await teller.step(signal);
    expect(heard).toEqual(["first 2", "second 2"]);
  });
});

async function serve(onBody: (body: string) => void, status = () => 200) {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      onBody(body);
      response.writeHead(status()).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("a change of an app", () => {
  async function telling(who: Pick<Parameters<typeof tellChanges>[0], "onChangeCommand" | "webhookUrl">) {
    const clock = new FakeClock();
    const { log, lines } = await memoryLog();
    const closers = new AsyncDisposableStack();
    const ending = new AbortController();
    closers.defer(() => ending.abort());
    const service = { log, clock, random: () => 0.5, signal: ending.signal, closers };
    const tell = tellChanges({ ...who, service });
    return { tell, clock, lines, [Symbol.asyncDispose]: () => closers.disposeAsync() };
  }

  test("is told to whoever is set, again until it has arrived, and then no more", async () => {
    const bodies: { port: number }[] = [];
    let status = 500;
    await using server = await serve(
      (body) => bodies.push(JSON.parse(body) as { port: number }),
      () => status,
    );
    const webhookUrl = { reveal: () => server.url };
    await using at = await telling({ onChangeCommand: undefined, webhookUrl });
    at.tell?.(change);
    await at.clock.advanceUntil(() => bodies.length === 3, { what: "three tries" });
    status = 200;
    await at.clock.advanceUntil(() => at.lines.some(({ msg }) => msg.includes("recovered")), {
      what: "it to be told",
    });
    const told = bodies.length;
    await at.clock.advance(3_600_000);
    expect(bodies).toHaveLength(told);
    expect(new Set(bodies.map(({ port }) => port))).toEqual(new Set([51_413]));
    expect(at.lines.filter(({ level }) => level === "warn")).toHaveLength(1);
  });

  test("is told to nobody, and nothing runs for it, where nobody is set", async () => {
    await using at = await telling({ onChangeCommand: undefined, webhookUrl: undefined });
    expect(at.tell).toBeUndefined();
    expect(at.clock.sleeping).toBe(0);
  });
});
