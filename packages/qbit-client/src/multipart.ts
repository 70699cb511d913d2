import { randomUUID } from "node:crypto";

export interface Upload {
  field: string;
  fileName: string;
  bytes: Uint8Array;
}

/**
 * A `multipart/form-data` body, written by hand: the global `FormData` would load all of undici, 7 MB. Values
 * are sent as they are; the boundary is random, so nothing in them can end a part.
 */
export function multipart(
  fields: Readonly<Record<string, string>>,
  uploads: readonly Upload[],
): { contentType: string; bytes: Buffer } {
  const boundary = `qbit-client-${randomUUID()}`;
  const parts: (string | Uint8Array)[] = [];
  for (const [name, value] of Object.entries(fields)) {
    parts.push(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
  }
  for (const { field, fileName, bytes } of uploads) {
    const disposition = `Content-Disposition: form-data; name="${field}"; filename="${fileName}"`;
    parts.push(
      `--${boundary}\r\n${disposition}\r\nContent-Type: application/x-bittorrent\r\n\r\n`,
      bytes,
      "\r\n",
    );
  }
  parts.push(`--${boundary}--\r\n`);
  const bytes = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
  return { contentType: `multipart/form-data; boundary=${boundary}`, bytes };
}
