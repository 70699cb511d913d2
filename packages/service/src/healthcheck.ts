import { readFileSync } from "node:fs";
import { get } from "node:http";

export type HealthcheckOptions = {
  /** Arguments after the script: process.argv.slice(2). */
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** The app's default, as in ":9101". */
  defaultAddr: string;
  /** Further variables that set the address, after HEALTH_ADDR. */
  addrEnv?: readonly string[];
  /** Default "--health-addr". */
  flag?: string;
  timeoutMs?: number;
  /** Told why the answer is 1. */
  report?: (reason: string) => void;
};

/**
 * Asks the running service's /healthz; resolves to the exit code, 0 or 1. This is `main.js healthcheck`, the
 * HEALTHCHECK of an image that has no shell and no curl.
 *
 * Imports nothing but node:http and node:fs and is called before the app's modules are loaded, because it runs
 * every few seconds in a process of its own. So it reads the address by itself, in the order of the settings:
 * flag, then X_FILE and X for each variable, then the default. A config file is not read.
 */
export async function healthcheck(options: HealthcheckOptions): Promise<0 | 1> {
  const report = options.report ?? (() => {});
  try {
    const url = serviceUrl(options, "/healthz");
    const status = await statusOf(url, options.timeoutMs ?? 2500);
    if (status === 200) return 0;
    report(`${url} answered ${status}`);
  } catch (error) {
    report(error instanceof Error ? error.message : String(error));
  }
  return 1;
}

/**
 * Where the running service answers a path.
 *
 * @throws Error when what should be its address is none
 */
export function serviceUrl(
  options: Pick<HealthcheckOptions, "argv" | "env" | "defaultAddr" | "addrEnv" | "flag">,
  path: string,
): string {
  const address = configuredAddress(options);
  const url = urlOf(address, path);
  if (url === undefined) throw new Error(`${address} is not an address; expected :9101 or 127.0.0.1:9101`);
  return url;
}

function configuredAddress({
  argv,
  env,
  defaultAddr,
  addrEnv = [],
  flag = "--health-addr",
}: HealthcheckOptions): string {
  const fromFlag = flagValue(argv, flag);
  if (fromFlag !== undefined) return fromFlag;
  for (const name of ["HEALTH_ADDR", ...addrEnv]) {
    const file = env[`${name}_FILE`];
    if (file) return readFileSync(file, "utf8").trim();
    if (env[name]) return env[name];
  }
  return defaultAddr;
}

/** The last one counts, as everywhere on a command line. */
function flagValue(argv: readonly string[], flag: string): string | undefined {
  const at = argv.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
  if (at === -1) return undefined;
  return argv[at] === flag ? argv[at + 1] : argv[at]?.slice(flag.length + 1);
}

/** ":9101", "9101", "0.0.0.0:9101", "[::1]:9101", "localhost:9101". */
function urlOf(address: string, path: string): string | undefined {
  const parts = /^(?:(?<host>\[[0-9a-f:.]+\]|[^:[\]/]*):)?(?<port>\d{1,5})$/i.exec(address.trim())?.groups;
  if (parts === undefined) return undefined;
  const { host = "", port } = parts;
  // "Every address" is not one that can be asked.
  const asked = ["", "0.0.0.0", "[::]", "*"].includes(host) ? "127.0.0.1" : host;
  return `http://${asked}:${port}${path}`;
}

function statusOf(url: string, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    // A fresh agent, so that a proxy configured for the global one is not asked about loopback.
    get(url, { agent: false, signal }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on("error", (cause) => {
      const why = signal.aborted ? `no answer within ${timeoutMs} ms` : cause.message;
      reject(new Error(`asking ${url}: ${why}`, { cause }));
    });
  });
}
