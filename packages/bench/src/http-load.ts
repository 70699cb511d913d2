import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What a process of its own is told to ask, so that a measurement is not slowed down by who measures. */
export type Load = {
  readonly method: "GET" | "POST";
  /** One request for each. */
  readonly urls: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly atOnce: number;
};

/**
 * Says `ready` on a line once it has asked a server of its own a thousand times: a client that is just starting takes
 * 50 ms to send its first hundred requests. Then asks what stdin says, over new connections, and prints how long each
 * answer took, in milliseconds, as a JSON array.
 */
async function main(): Promise<void> {
  const server = createServer((_, response) => response.end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const urls = Array.from({ length: 1000 }, () => `http://127.0.0.1:${port}/`);
  await timesOf({ method: "GET", urls, headers: {}, atOnce: 100 });
  server.close();
  process.stdout.write("ready\n");
  process.stdout.write(JSON.stringify(await timesOf(JSON.parse(await text(process.stdin)))));
}

async function timesOf(load: Load): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.atOnce });
  const took: number[] = [];
  const rest = load.urls.values();
  const line = async () => {
    for (const url of rest) {
      const startedAt = performance.now();
      await answered(url, load, agent);
      took.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: load.atOnce }, line));
  agent.destroy();
  return took;
}

/** The plainest client there is: a fetch takes longer than the server. */
function answered(url: string, { method, headers }: Load, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { method, headers, agent }, (response) => {
      const { statusCode = 0 } = response;
      response.resume();
      response.once("end", () =>
        statusCode < 300 ? resolve() : reject(new Error(`${url} answered ${statusCode}`)),
      );
    });
    asking.once("error", reject);
    asking.end();
  });
}

void main();
