import { once } from "node:events";
import got, { RequestError } from "got";
import { parseArgsStringToArgv } from "string-argv";
import { errorCode } from "./error-code.ts";
import type { PortChange } from "./port-changes.ts";
import type { StepResult } from "./reconcile-loop.ts";
import { startLoop } from "./reconcile-loop.ts";
import type { Service } from "./service.ts";

/** Passes a change on to someone. @throws when it did not arrive */
export type Messenger = (change: PortChange, signal: AbortSignal) => Promise<void>;

const timeoutMs = 30_000;

// The command gets these and nothing else: the app's own environment holds passwords.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Runs a command after each change, the way gluetun runs its UP command: split into words by quotes, without a shell,
 * with `{{PORT}}` and `{{PREVIOUS_PORT}}` put in afterwards; the same two are in its environment.
 */
export function command(line: string): Messenger {
  const words = parseArgsStringToArgv(line);
  return async (change, signal) => {
    const [file, ...args] = words.map((word) => fill(word, change));
    const env = { PATH: searchPath, PORT: String(change.to), PREVIOUS_PORT: String(change.from) };
    const end = await run(file ?? "", args, { signal, env });
    if (end !== undefined)
      throw new TellError(`running ON_CHANGE_COMMAND ${JSON.stringify(words[0])}: ${end}`);
  };
}

/** @returns how it failed; undefined when it ended with 0 */
async function run(
  file: string,
  args: readonly string[],
  { signal, env }: { signal: AbortSignal; env: Record<string, string> },
): Promise<string | undefined> {
  const { spawn } = await import("node:child_process");
  try {
    // What it prints is its own affair: nobody here reads a pipe that it could fill.
    const child = spawn(file, args, {
      signal,
      env,
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      stdio: "ignore",
    });
    await once(child, "exit");
    const { exitCode, signalCode } = child;
    if (exitCode === 0) return undefined;
    return signalCode === null ? `it ended with ${exitCode}` : `it was ended by ${signalCode}`;
  } catch (error) {
    signal.throwIfAborted();
    return errorCode(error) ?? String(error);
  }
}

/** POSTs `{ port, previous_port, kind, why, at }` as JSON after each change. The URL may carry a secret: it is not shown. */
export function webhook(url: string): Messenger {
  return async ({ to, from, kind, why, at }, signal) => {
    try {
      const json = { port: to, previous_port: from, kind, why, at: at.toISOString() };
      const request = got.stream.post(url, {
        json,
        signal,
        timeout: { request: timeoutMs },
        retry: { limit: 0 },
        throwHttpErrors: false,
      });
      const statusCode = await new Promise<number>((resolve, reject) => {
        request.once("response", (response) => resolve(response.statusCode)).once("error", reject);
      });
      // Nobody wants its body, which may have no end.
      request.destroy();
      if (statusCode >= 300) throw new TellError(`posting to WEBHOOK_URL: it answered ${statusCode}`);
    } catch (error) {
      if (error instanceof TellError) throw error;
      // No cause: got's error carries the whole request, and the URL of a webhook is often its password.
      // oxlint-disable-next-line preserve-caught-error
      throw new TellError(`posting to WEBHOOK_URL: ${reasonOf(error)}`);
    }
  };
}

/** A change could not be passed on. */
export class TellError extends Error {
  override readonly name = "TellError";
}

function reasonOf(error: unknown): string {
  return error instanceof RequestError ? error.code : "unknown error";
}

/**
 * Tells the newest change until it has arrived. Only the newest counts: whoever acts on a port must not be told an
 * older one after it.
 */
export class ChangeTeller {
  readonly #messengers: readonly Messenger[];
  #latest: PortChange | undefined;
  #told = new Map<Messenger, PortChange>();

  constructor(messengers: readonly Messenger[]) {
    this.#messengers = messengers;
  }

  tell(change: PortChange): void {
    this.#latest = change;
  }

  /** Tells whoever has not heard of the newest change yet. @throws when one of them could not be told */
  async step(signal: AbortSignal): Promise<StepResult> {
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

/** The app's settings of these names. */
type WhoToTell = { onChangeCommand: string | undefined; webhookUrl: { reveal(): string } | undefined };

/** Those who want to be told. */
export function messengersOf({ onChangeCommand, webhookUrl }: WhoToTell): Messenger[] {
  return [
    ...(onChangeCommand === undefined ? [] : [command(onChangeCommand)]),
    ...(webhookUrl === undefined ? [] : [webhook(webhookUrl.reveal())]),
  ];
}

type TellChangesOptions = WhoToTell & {
  service: Pick<Service, "log" | "clock" | "random" | "signal" | "closers">;
};

/**
 * Tells each change to the command and the webhook that are set, in a loop of its own that has no say in the app's
 * health.
 *
 * @returns the function to call with each change; undefined when nobody wants to be told
 */
export function tellChanges({
  service,
  ...who
}: TellChangesOptions): ((change: PortChange) => void) | undefined {
  const messengers = messengersOf(who);
  if (messengers.length === 0) return undefined;
  const teller = new ChangeTeller(messengers);
  const { log, clock, random, signal, closers } = service;
  const loop = closers.use(
    startLoop({
      log,
      clock,
      random,
      signal,
      name: "tell-change",
      everyMs: 24 * 60 * 60_000,
      backoff: { minMs: 1000, maxMs: 5 * 60_000 },
      step: (context) => teller.step(context.signal),
    }),
  );
  return (change) => {
    teller.tell(change);
    loop.wake("a change", { supersede: true });
  };
}

function fill(word: string, change: PortChange): string {
  return word.replaceAll("{{PORT}}", String(change.to)).replaceAll("{{PREVIOUS_PORT}}", String(change.from));
}
