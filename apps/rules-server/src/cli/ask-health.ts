import { request } from "node:http";
import type { CommandContext, ExitCode } from "./command.ts";

/** Whether the server of these settings answers; for addresses that main.ts does not read by itself. */
export async function askHealth({ config, stderr }: CommandContext): Promise<ExitCode> {
  const { serverHost, serverPort: port } = config;
  const host = ["0.0.0.0", "::", ""].includes(serverHost) ? "127.0.0.1" : serverHost;
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  request({ host, port, path: "/healthz", agent: false, signal: AbortSignal.timeout(2500) }, (response) => {
    response.resume();
    resolve(response.statusCode === 200 ? undefined : `it answers ${response.statusCode}`);
  })
    .on("error", (error) => resolve(error.message))
    .end();
  const problem = await promise;
  if (problem !== undefined) stderr.write(`qbt-rules is not healthy: ${problem}\n`);
  return problem === undefined ? 0 : 1;
}
