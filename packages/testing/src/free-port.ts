import { createSocket } from "node:dgram";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { errorCode } from "./error-code.ts";
import { processAlive } from "./process-alive.ts";

/**
 * Below the ports Linux gives to outgoing connections (32768 and up): a port given to nobody here cannot be taken by
 * a passing HTTP request between asking for it and listening on it.
 */
const range = { first: 20_000, last: 32_000 };

/**
 * A TCP and UDP port of the loopback address that nobody listens on and that no other test process on this machine
 * gets from this function as long as this process lives.
 */
export async function freePort(random: () => number = Math.random): Promise<number> {
  const size = range.last - range.first;
  const start = Math.floor(random() * size);
  for (let step = 0; step < size; step++) {
    const port = range.first + ((start + step) % size);
    if (reserve(port) && (await isFree(port))) return port;
  }
  throw new Error(`choosing a free port: none left between ${range.first} and ${range.last}`);
}

/** A file for each port, holding the process that has it: the reservations of dead processes count for nothing. */
function reserve(port: number): boolean {
  const dir = join(tmpdir(), `qbit-sidecars-ports-${userInfo().username}`);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, String(port));
  if (createWithPid(file)) return true;
  const holder = readPid(file);
  if (holder === undefined || processAlive(holder)) return false;
  rmSync(file, { force: true });
  return createWithPid(file);
}

function createWithPid(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** Undefined for a file that was created this instant and is still to be filled. */
function readPid(file: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(file, "utf8"), 10) || undefined;
  } catch {
    return undefined;
  }
}

async function isFree(port: number): Promise<boolean> {
  const answers = await Promise.all([canListenTcp(port), canBindUdp(port)]);
  return answers.every(Boolean);
}

function canListenTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once("error", () => resolve(false))
      .listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function canBindUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4").once("error", () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ port, address: "127.0.0.1", exclusive: true }, () => socket.close(() => resolve(true)));
  });
}
