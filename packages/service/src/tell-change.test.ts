import { tempDir } from "@qbit-sidecars/testing";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { PortChange } from "./port-changes.ts";
import { ChangeTeller, command, webhook } from "./tell-change.ts";

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

async function serve(onBody: (body: string) => void) {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      onBody(body);
      response.end();
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
