import type { QbitClient } from "./client.ts";
import { QbitNotAppliedError } from "./errors.ts";
import type { Preferences } from "./preferences.ts";

/** What decides where qBittorrent listens for peers. */
export interface ListenState {
  /** `listen_port`; 0 means a random one. */
  port: number;
  randomPort: boolean;
  upnp: boolean;
}

export interface ApplyListenPortOptions {
  /** 1–65535. */
  port: number;
  /** Also turn UPnP and NAT-PMP off, which behind a VPN only leak. */
  disableUpnp?: boolean;
  /**
   * Listen anew even if the port is set already: after a VPN reconnect the old sockets may be deaf, and setting
   * the same port does nothing (qBittorrent compares). So another port is set first, then the wanted one: that
   * is still done after an abort, for up to 5 s.
   */
  rebind?: boolean;
  signal?: AbortSignal | undefined;
  /** How long qBittorrent may take to show each change. Default 10 s. */
  deadlineMs?: number;
}

export interface AppliedListenPort {
  outcome: "unchanged" | "set" | "rebound";
  before: ListenState;
  after: ListenState;
}

/**
 * Makes qBittorrent listen on a port: reads, changes what differs, and reads back until it is so (qBittorrent
 * applies preferences after it has answered).
 *
 * @throws QbitNotAppliedError when the change does not show within `deadlineMs`; any other QbitError of a call.
 */
export async function applyListenPort(
  client: QbitClient,
  options: ApplyListenPortOptions,
): Promise<AppliedListenPort> {
  const { port, signal } = options;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`${port} is not a port`);
  const before = listenState(await client.app.preferences({ signal }));
  const rebind = options.rebind === true && before.port === port;
  if (isApplied(before, options) && !rebind) return { outcome: "unchanged", before, after: before };
  const after = rebind ? await listenAnew(client, options) : await setAndVerify(client, options);
  return { outcome: rebind ? "rebound" : "set", before, after };
}

/** Once the other port is set, the wanted one follows even if the signal aborts, which is told only then. */
async function listenAnew(client: QbitClient, options: ApplyListenPortOptions): Promise<ListenState> {
  const { port, signal } = options;
  await setAndVerify(client, { ...options, port: neighbour(port) }).catch((error: unknown) => {
    if (signal?.aborted !== true) throw error;
  });
  using late = lateAbort(client, signal);
  const after = await setAndVerify(client, { ...options, signal: late.signal });
  signal?.throwIfAborted();
  return after;
}

/** Aborts for the same reason as `signal`, 5 s later: time for two requests, and less than a service has to end. */
function lateAbort(
  client: QbitClient,
  signal: AbortSignal | undefined,
): Disposable & { signal: AbortSignal } {
  const [late, done] = [new AbortController(), new AbortController()];
  const count = (): void =>
    void client.clock.sleep(5000, done.signal).then(
      () => late.abort(signal?.reason),
      () => {},
    );
  if (signal?.aborted === true) count();
  else signal?.addEventListener("abort", count, { once: true, signal: done.signal });
  return { signal: late.signal, [Symbol.dispose]: () => done.abort() };
}

async function setAndVerify(client: QbitClient, options: ApplyListenPortOptions): Promise<ListenState> {
  const { port, signal, deadlineMs = 10_000 } = options;
  // `random_port: true` would win over `listen_port`, whatever the order, so both always go together.
  const wanted: Partial<Preferences> = { listen_port: port, random_port: false };
  if (options.disableUpnp === true) wanted.upnp = false;
  await client.app.setPreferences(wanted, { signal });
  const giveUp = client.clock.monotonic() + deadlineMs;
  for (let waitMs = 25; ; waitMs = Math.min(waitMs * 2, 1000)) {
    const state = listenState(await client.app.preferences({ signal }));
    if (isApplied(state, options)) return state;
    if (client.clock.monotonic() + waitMs > giveUp) throw notApplied(options, state);
    await client.clock.sleep(waitMs, signal);
  }
}

function notApplied(options: ApplyListenPortOptions, state: ListenState): QbitNotAppliedError {
  const seen = `qBittorrent still shows port ${state.port}, random ${state.randomPort}, UPnP ${state.upnp}`;
  return new QbitNotAppliedError(`setting the listen port ${options.port}: ${seen}`, { retryAfterMs: 0 });
}

function listenState(preferences: Preferences): ListenState {
  const { listen_port: port, random_port = false, upnp = false } = preferences;
  return { port, randomPort: random_port, upnp };
}

function isApplied(state: ListenState, wanted: ApplyListenPortOptions): boolean {
  return state.port === wanted.port && !state.randomPort && !(wanted.disableUpnp === true && state.upnp);
}

function neighbour(port: number): number {
  return port === 65_535 ? port - 1 : port + 1;
}
