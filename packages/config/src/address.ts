import { isIPv6 } from "node:net";
import type { Reading } from "./kind.ts";

/** Where to listen or to connect. Without a host it means all interfaces. */
export interface Address {
  readonly host: string | undefined;
  /** 0 to 65535; 0 lets the system choose when listening. */
  readonly port: number;
}

/** The shape of an address, also given to charts. */
export const addressPattern = /^(?:(\[[\da-fA-F:.]+(?:%\w+)?\]|[\w.-]+)?:)?(\d{1,5})$/;

/** Reads `8080`, `:8080`, `0.0.0.0:8080`, `localhost:80` and `[::1]:80`. */
export function parseAddress(text: string): Reading<Address> {
  const match = addressPattern.exec(text);
  if (!match) return { ok: false, problem: `is not an address${hintAbout(text)}` };
  const host = match[1]?.replace(/^\[|\]$/g, "");
  const port = Number(match[2]);
  if (match[1]?.startsWith("[") && !isIPv6(host ?? ""))
    return { ok: false, problem: "has no IPv6 address in its brackets" };
  if (port > 65_535) return { ok: false, problem: "has a port above 65535" };
  return { ok: true, value: { host, port } };
}

/** Writes an address the way {@link parseAddress} reads it. */
export function formatAddress({ host, port }: Address): string {
  return `${host?.includes(":") ? `[${host}]` : (host ?? "")}:${port}`;
}

function hintAbout(text: string): string {
  if (text.includes("://")) return ": it is a URL";
  if (/^[\da-f]*:[\da-f:.]+$/i.test(text)) return ": an IPv6 address needs brackets";
  return "";
}
