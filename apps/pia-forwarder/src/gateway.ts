import { readFile } from "node:fs/promises";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import type { GatewayFinder } from "./hold-port.ts";
import { PiaCertificateError, type PiaError, PiaUnreachableError } from "./pia-errors.ts";

/** What of this machine's network tells where the tunnel is. */
export type Host = {
  interfaces(): NodeJS.Dict<NetworkInterfaceInfo[]>;
  /** The text of /proc/self/net/route; empty where there is none. */
  routes(): Promise<string>;
  /** Changes when the interface is made anew; empty where nobody knows. */
  interfaceIndex(name: string): Promise<string>;
  /** Where PIA's gateway was before there was more than one network; asked when nothing else answers. */
  lastResort: string;
  /** How often a look at the tunnel is worth it. */
  lookEveryMs: number;
};

/** This machine. */
export const thisHost: Host = {
  interfaces: networkInterfaces,
  routes: () => readFile("/proc/self/net/route", "utf8").catch(() => ""),
  interfaceIndex: (name) => readFile(`/sys/class/net/${name}/ifindex`, "utf8").catch(() => ""),
  lastResort: "10.0.0.1",
  lookEveryMs: 5000,
};

export type Tunnel = { name: string; address: string };

/** The IPv4 addresses of interfaces that are tunnels: those without an Ethernet address (tun, WireGuard, PPP). */
export function tunnelsOf(interfaces: ReturnType<Host["interfaces"]>): Tunnel[] {
  return Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ family, internal, mac }) => family === "IPv4" && !internal && /^[0:]+$/.test(mac))
      .map(({ address }) => ({ name, address })),
  );
}

/**
 * Where PIA's gateway can be, likeliest first: what the tunnel's own routes name (OpenVPN), then `x.y.128.1` and
 * `x.y.0.1` beside its address (gluetun, 2026-04), and the first address of its network (WireGuard's `server_vip`).
 *
 * @param routes the text of /proc/self/net/route
 */
export function gatewayCandidates(tunnels: readonly Tunnel[], routes: string): string[] {
  const names = new Set(tunnels.map(({ name }) => name));
  const routed = routesOf(routes).filter(({ name }) => names.has(name));
  const guessed = tunnels.flatMap(({ address }) => {
    const [x, y, z] = address.split(".");
    return [`${x}.${y}.128.1`, `${x}.${y}.0.1`, `${x}.${y}.${z}.1`];
  });
  const own = new Set(tunnels.map(({ address }) => address));
  const all = new Set([...routed.map(({ gateway }) => gateway), ...guessed]);
  return [...all].filter((address) => !own.has(address));
}

/** Lines of that text that have a gateway: addresses are 32 bits, hexadecimal, in the order of the machine. */
function routesOf(text: string): { name: string; gateway: string }[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [name = "", , hex = ""] = line.trim().split(/\s+/u);
      if (!/^[\dA-F]{8}$/iu.test(hex) || hex === "00000000") return [];
      const bytes = Buffer.from(hex, "hex").toReversed();
      return [{ name, gateway: bytes.join(".") }];
    });
}

/** Addresses that are not on the internet: only such a gateway may be asked without its certificate being checked. */
export function isPrivate(address: string): boolean {
  const [a = 0, b = 0] = address.split(".").map(Number);
  return (
    a === 10 ||
    a === 127 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 100 && b >= 64 && b < 128)
  );
}

type GatewaysOptions = {
  /** The setting; undefined means to look for it. */
  given: string | undefined;
  host: Host;
  /** @throws PiaError when nothing answers there, or not with PIA's certificate */
  ping: (gateway: string, signal: AbortSignal) => Promise<void>;
  onFound?: (gateway: string) => void;
};

/** The gateway that was given, or the first of the candidates that answers as PIA's; asked again once forgotten. */
export class Gateways implements GatewayFinder {
  readonly #options: GatewaysOptions;
  #found: string | undefined;

  constructor(options: GatewaysOptions) {
    this.#options = options;
  }

  forget(): void {
    this.#found = undefined;
  }

  /** @throws PiaCertificateError when PIA answers somewhere under another name, PiaUnreachableError when nobody does */
  async find(signal: AbortSignal): Promise<string> {
    const { given, host, onFound } = this.#options;
    if (given !== undefined) return given;
    if (this.#found !== undefined) return this.#found;
    const candidates = gatewayCandidates(tunnelsOf(host.interfaces()), await host.routes());
    const errors: unknown[] = [];
    // One after the other: what lies outside the tunnel is not asked while something inside answers.
    for (const group of [candidates, [host.lastResort]]) {
      const { found, failed } = await this.#firstThatAnswers(group, signal);
      errors.push(...failed);
      if (found === undefined) continue;
      this.#found = found;
      onFound?.(found);
      return found;
    }
    throw nobodyThere([...candidates, host.lastResort], errors);
  }

  /** All are asked at once; the likeliest of those that answer is it. */
  async #firstThatAnswers(
    candidates: readonly string[],
    signal: AbortSignal,
  ): Promise<{ found?: string; failed: unknown[] }> {
    const answers = candidates.map(async (gateway) => {
      await this.#options.ping(gateway, signal);
      return gateway;
    });
    const results = await Promise.allSettled(answers);
    signal.throwIfAborted();
    const found = results.find((result) => result.status === "fulfilled")?.value;
    const failed = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason as unknown] : [],
    );
    return { failed, ...(found !== undefined && { found }) };
  }
}

function nobodyThere(asked: readonly string[], errors: readonly unknown[]): PiaError {
  const misnamed = errors.find(
    (error): error is PiaCertificateError => error instanceof PiaCertificateError && error.names.length > 0,
  );
  if (misnamed !== undefined) return misnamed;
  return new PiaUnreachableError(
    `looking for PIA's gateway: nothing answers as one at ${asked.join(", ")}; is the tunnel up, and to a server with ` +
      "port forwarding? PIA_GATEWAY names it if it is elsewhere",
    { cause: errors[0] },
  );
}
