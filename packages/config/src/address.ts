import { isIPv6 } from "node:net";
import * as z from "zod/mini";
import type { Kind, Reading } from "./kind.ts";

/** Where to listen or to connect. Without a host it means all interfaces. */
export interface Address {
  readonly host: string | undefined;
  /** 0 to 65535; 0 lets the system choose when listening. */
  readonly port: number;
}

const addressPattern = /^(?:(\[[\da-fA-F:.]+(?:%\w+)?\]|[\w.-]+)?:)?(\d{1,5})$/;

/** Reads `8080`, `:8080`, `0.0.0.0:8080`, `localhost:80` and `[::1]:80`. */
export function parseAddress(text: string): Reading<Address> {
  const match = addressPattern.exec(text);
  if (!match) return { ok: false, problem: `is not an address${hintAbout(text)}` };
  const host = match[1]?.replace(/^\[|\]$/g, "");
  const port = Number(match[2]);
  if (match[1]?.startsWith("[") && !isIPv6(host ?? "")) {
    return { ok: false, problem: "has no IPv6 address in its brackets" };
  }
  if (port > 65_535) return { ok: false, problem: "has a port above 65535" };
  return { ok: true, value: { host, port } };
}

/** Writes an address the way {@link parseAddress} reads it. */
export function formatAddress({ host, port }: Address): string {
  return `${host?.includes(":") ? `[${host}]` : (host ?? "")}:${port}`;
}

export function addressKind(hostRequired: boolean): Kind<Address> {
  return {
    placeholder: hostRequired ? "host:port" : "[host]:port",
    expected: hostRequired
      ? "a host and a port such as 192.168.1.100:50051 or [::1]:50051"
      : "a port or an address such as 8080, :8080, 127.0.0.1:8080 or [::1]:8080",
    parse: (text) => {
      const reading = parseAddress(text);
      const lacksHost = reading.ok && hostRequired && reading.value.host === undefined;
      return lacksHost ? { ok: false, problem: "has no host" } : reading;
    },
    schema: z.object({ host: z.union([z.string(), z.undefined()]), port: z.int() }),
    written: () =>
      z.union([z.int().check(z.gte(0), z.lte(65_535)), z.string().check(z.regex(addressPattern))]),
    print: formatAddress,
    ignoresServiceLinks: true,
  };
}

function hintAbout(text: string): string {
  if (text.includes("://")) return ": it is a URL";
  return /^[\da-f]*:[\da-f:.]+$/i.test(text) ? ": an IPv6 address needs brackets" : "";
}
