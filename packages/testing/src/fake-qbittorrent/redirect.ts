import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A server that sends everyone on to the same path below `target`, as proxies do that speak https only. */
export async function redirectTo(target: string): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((request, response) => {
    response.writeHead(301, { location: target + request.url, "content-length": 0 }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
