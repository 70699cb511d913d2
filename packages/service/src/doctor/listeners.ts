import { type Address, formatAddress } from "@qbit-sidecars/config";
import { request } from "node:http";
import { createServer } from "node:net";
import { errorCode } from "../error-code.ts";
import { type DoctorCheck, ok, problem } from "./check.ts";

export type ListenOptions = {
  readonly name: string;
  readonly address: Address;
  /** How the user sets it. */
  readonly setting: string;
  /** The service that may have it already, which answers probes at `health` under the name `app`. */
  readonly app: string;
  readonly health: Address;
};

/**
 * Whether an address can be listened on, or is by the service itself. Looking takes a free one for a moment; nothing is
 * answered there.
 */
export function listenAddress({ name, address, setting, app, health }: ListenOptions): DoctorCheck {
  return {
    name,
    async look(signal) {
      const shown = formatAddress(address);
      const code = await tryListening(address);
      if (code === undefined) return ok(`${shown} is free`);
      if (code === "EADDRINUSE") {
        const answering = await whoAnswers(health, signal);
        if (answering === app)
          return ok(`${shown} is in use; ${app} runs and answers probes at ${formatAddress(health)}`);
        const other = answering === undefined ? "another program" : answering;
        return problem(`${shown} is taken by ${other}`, `change ${setting}, or stop what listens there`);
      }
      if (code === "EACCES")
        return problem(`${shown} may not be listened on`, `set ${setting} to a port above 1023`);
      if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
        return problem(`this machine has no address ${shown}`, `correct ${setting}`);
      return problem(`${shown} cannot be listened on (${code})`, `change ${setting}`);
    },
  };
}

function tryListening({ host, port }: Address): Promise<string | undefined> {
  const server = createServer((socket) => socket.destroy());
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  server.once("error", (error) => resolve(errorCode(error) ?? error.message));
  server.listen({ port, exclusive: true, ...(host === undefined ? {} : { host }) }, () =>
    server.close(() => resolve(undefined)),
  );
  return promise;
}

/** @returns the name that the /healthz of a running service tells, or undefined */
async function whoAnswers(health: Address, signal: AbortSignal): Promise<string | undefined> {
  const body = await askHealth(health, "/healthz", signal);
  return typeof body?.["name"] === "string" ? body["name"] : undefined;
}

const longestAnswer = 256 * 1024;

/** @returns the JSON object that a service answers there, with whatever status, or undefined */
export async function askHealth(
  { host, port }: Address,
  path: string,
  signal: AbortSignal,
): Promise<Record<string, unknown> | undefined> {
  const isEverywhere = host === undefined || ["0.0.0.0", "::"].includes(host);
  const options = { host: isEverywhere ? "127.0.0.1" : host, port, path, agent: false as const };
  const { promise, resolve } = Promise.withResolvers<Record<string, unknown> | undefined>();
  request({ ...options, signal: AbortSignal.any([signal, AbortSignal.timeout(2500)]) }, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (piece: string) => {
      text += piece;
      if (text.length > longestAnswer) response.destroy();
    });
    response.on("close", () => resolve(objectOf(text)));
  })
    .on("error", () => resolve(undefined))
    .end();
  return promise;
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
