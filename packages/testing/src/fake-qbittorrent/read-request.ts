import type { IncomingMessage } from "node:http";
import type { FakeRequest } from "./model.ts";
import type { Params } from "./params.ts";

type Form = { params: Params; files: Map<string, Buffer> };

/** @returns undefined when qBittorrent could not read the body: it answers 400 and hangs up */
export async function readRequest(message: IncomingMessage, path: string): Promise<FakeRequest | undefined> {
  const method = message.method ?? "GET";
  const [pathname, query] = splitOnce(path, "?");
  const headers = Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join("; ") : value,
    ]),
  );
  const body = await readBody(message);
  const form =
    method === "POST"
      ? readForm(headers["content-type"] ?? "", body)
      : { params: readPairs(query), files: new Map() };
  if (form === undefined) return undefined;
  const clientAddress = message.socket.remoteAddress ?? "";
  return { method, path: decodeURIComponent(pathname), ...form, headers, clientAddress };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function readForm(contentType: string, body: Buffer): Form | undefined {
  if (body.length === 0) return { params: {}, files: new Map() };
  if (contentType.startsWith("application/x-www-form-urlencoded")) {
    return { params: readPairs(body.toString("utf8")), files: new Map() };
  }
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  return contentType.startsWith("multipart/form-data") && boundary ? readParts(body, boundary) : undefined;
}

/** The last of two values with one name counts. */
function readPairs(text: string): Params {
  return Object.fromEntries(new URLSearchParams(text));
}

/** Files are kept by file name, whatever the field is called. */
function readParts(body: Buffer, boundary: string): Form {
  const params: Record<string, string> = {};
  const files = new Map<string, Buffer>();
  const pieces = body.toString("latin1").split(`--${boundary}`).slice(1, -1);
  for (const piece of pieces) {
    const [head, content] = splitOnce(piece.replace(/^\r\n/, "").replace(/\r\n$/, ""), "\r\n\r\n");
    const filename = parameter(head, "filename");
    const bytes = Buffer.from(content, "latin1");
    if (filename !== undefined) files.set(filename, bytes);
    else params[parameter(head, "name") ?? ""] = bytes.toString("utf8");
  }
  return { params, files };
}

function parameter(head: string, name: string): string | undefined {
  const value = new RegExp(`[; ]${name}="((?:[^"\\\\]|\\\\.)*)"`, "i").exec(head)?.[1];
  return value === undefined ? undefined : Buffer.from(value, "latin1").toString("utf8");
}
