import { promisify } from "node:util";
import got, { HTTPError, RequestError } from "got";
import { parseArgsStringToArgv } from "string-argv";
import type { Change, SyncResult } from "./sync-port.ts";

/** Passes a change on to someone. @throws when it did not arrive */
export type Messenger = (change: Change, signal: AbortSignal) => Promise<void>;

const timeoutMs = 30_000;

// The command gets these and nothing else: port-sync's own environment holds qBittorrent's password.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Runs a command after each change, the way gluetun runs its UP command: split into words by quotes, without a shell,
 * with `{{PORT}}` and `{{PREVIOUS_PORT}}` put in afterwards; the same two are in its environment.
 */
export function command(line: string): Messenger {
  const words = parseArgsStringToArgv(line);
  return async (change, signal) => {
    const [file, ...args] = words.map((word) => fill(word, change));
    const { execFile } = await import("node:child_process");
    const env = { PATH: searchPath, PORT: String(change.to), PREVIOUS_PORT: String(change.from) };
    try {
      await promisify(execFile)(file ?? "", args, { signal, timeout: timeoutMs, env });
    } catch (cause) {
      throw new Error(`running ON_CHANGE_COMMAND ${JSON.stringify(words[0])}`, { cause });
    }
  };
}

/** POSTs `{ port, previous_port, kind, why, at }` as JSON after each change. The URL may carry a secret: it is not shown. */
export function webhook(url: string): Messenger {
  return async ({ to, from, kind, why, at }, signal) => {
    try {
      const json = { port: to, previous_port: from, kind, why, at: at.toISOString() };
      await got.post(url, { json, signal, timeout: { request: timeoutMs }, retry: { limit: 0 } });
    } catch (error) {
      // No cause: got's error carries the whole request, and the URL of a webhook is often its password.
      // oxlint-disable-next-line preserve-caught-error
      throw new Error(`posting to WEBHOOK_URL: ${reasonOf(error)}`);
    }
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof HTTPError) return `it answered ${error.response.statusCode}`;
  return error instanceof RequestError ? error.code : "unknown error";
}

/**
 * Tells the newest change until it has arrived. Only the newest counts: whoever acts on a port must not be told an
 * older one after it.
 */
export class ChangeTeller {
  readonly #messengers: readonly Messenger[];
  #latest: Change | undefined;
  #told = new Map<Messenger, Change>();

  constructor(messengers: readonly Messenger[]) {
    this.#messengers = messengers;
  }

  tell(change: Change): void {
    this.#latest = change;
  }

  /** Tells whoever has not heard of the newest change yet. @throws when one of them could not be told */
  async step(signal: AbortSignal): Promise<SyncResult> {
    const change = this.#latest;
    if (change === undefined) return { converged: true };
    const waiting = this.#messengers.filter((messenger) => this.#told.get(messenger) !== change);
    const results = await Promise.allSettled(waiting.map((messenger) => messenger(change, signal)));
    const failures = results.flatMap((result, at) => {
      const messenger = waiting[at];
      if (result.status === "fulfilled" && messenger !== undefined) this.#told.set(messenger, change);
      return result.status === "rejected" ? [result.reason as unknown] : [];
    });
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, failures.map(String).join("; "));
    return { converged: true };
  }
}

function fill(word: string, change: Change): string {
  return word.replaceAll("{{PORT}}", String(change.to)).replaceAll("{{PREVIOUS_PORT}}", String(change.from));
}
