import type { IncomingMessage } from "node:http";

/**
 * Why a request must not reach a loopback-only route, or undefined when it may.
 *
 * The peer address alone is not enough: a web page in a browser on the same machine can send requests to
 * 127.0.0.1. It gives itself away by Origin (any cross-site POST), by Sec-Fetch-Site, or, when its own DNS
 * name was pointed at 127.0.0.1 to look same-site ("DNS rebinding"), by a Host that is that name.
 */
export function refuseForeign({
  socket,
  headers,
}: Pick<IncomingMessage, "socket" | "headers">): string | undefined {
  if (!isLoopbackAddress(socket.remoteAddress ?? "")) return "answered only on the loopback address";
  if (headers["x-forwarded-for"] !== undefined || headers.forwarded !== undefined)
    return "not answered through a proxy";
  if (headers.origin !== undefined) return "not answered to web pages (the request has an Origin)";
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "none" && site !== "same-origin")
    return "not answered to other web sites";
  if (!isLoopbackHost(headers.host ?? ""))
    return "answered only when Host is localhost or a loopback address";
  return undefined;
}

/** 127.0.0.0/8 and ::1, also as an IPv4 address mapped into IPv6. */
export function isLoopbackAddress(address: string): boolean {
  return address === "::1" || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/i.test(address);
}

function isLoopbackHost(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return name === "localhost" || name === "[::1]" || (!name.includes(":") && isLoopbackAddress(name));
}
