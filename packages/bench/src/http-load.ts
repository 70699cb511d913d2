import { Agent, request } from "node:http";

/** What a process of its own is told to ask, so that a measurement is not slowed down by who measures. */
export type Load = {
  readonly method: "GET" | "POST";
  /** One request for each. */
  readonly urls: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly atOnce: number;
};

/** Asks, and prints how long each answer took, in milliseconds, as a JSON array. */
async function main(load: Load): Promise<void> {
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
  process.stdout.write(JSON.stringify(took));
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

let given = "";
process.stdin.setEncoding("utf8").on("data", (text: string) => (given += text));
process.stdin.once("end", () => void main(JSON.parse(given)));
