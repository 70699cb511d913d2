import { mkdir, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import type { Outside, OutsideRequest } from "./seams.ts";

const timeoutMs = 10_000;
const longestAnswer = 8 * 1024 * 1024;

/** HTTP and files of this machine. Redirects are not followed. */
export const nodeOutside: Outside = {
  send: sendHttp,
  saveFile: async ({ folder, name }, bytes) => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, name), bytes);
  },
};

async function sendHttp(
  { method, url, headers, body }: OutsideRequest,
  signal?: AbortSignal,
): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const limit = AbortSignal.timeout(timeoutMs);
  const request = (url.startsWith("https:") ? httpsRequest : httpRequest)(url, {
    method,
    headers: { ...headers, ...(body !== undefined && { "content-length": Buffer.byteLength(body) }) },
    signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
  });
  request.on("error", reject);
  request.on("response", (response) => {
    const parts: Buffer[] = [];
    let size = 0;
    response.on("data", (part: Buffer) => {
      parts.push(part);
      size += part.length;
      if (size > longestAnswer) response.destroy(new Error("the answer is too long"));
    });
    response.on("error", reject);
    response.on("end", () =>
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString("utf8") }),
    );
  });
  request.end(body);
  return await promise;
}
