import { type Host, tunnelsOf } from "./gateway.ts";

type WatchTunnelOptions = {
  host: Host;
  clock: { now(): number; monotonic(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };
  everyMs: number;
  onChange: (why: string) => void;
};

/** More than any scheduler's delay. */
const asleepMs = 30_000;

/**
 * Notices what loses a port between two bindings: a tunnel that was made anew, and a machine that was asleep (timers
 * stand still meanwhile, the wall clock does not).
 */
export function watchTunnel({ host, clock, everyMs, onChange }: WatchTunnelOptions): AsyncDisposable {
  const stop = new AbortController();
  const watch = async () => {
    let tunnel = await fingerprint(host);
    let offset = clock.now() - clock.monotonic();
    for (;;) {
      await clock.sleep(everyMs, stop.signal);
      const [seen, seenOffset] = [await fingerprint(host), clock.now() - clock.monotonic()];
      if (seen !== tunnel && seen !== "") onChange("the tunnel changed");
      else if (seenOffset - offset > asleepMs) onChange("the machine was asleep");
      [tunnel, offset] = [seen, seenOffset];
    }
  };
  const finished = watch().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await finished;
    },
  };
}

/** Empty while there is no tunnel. */
async function fingerprint(host: Host): Promise<string> {
  const parts = tunnelsOf(host.interfaces()).map(
    async ({ name, address }) => `${name} ${(await host.interfaceIndex(name)).trim()} ${address}`,
  );
  return (await Promise.all(parts)).toSorted().join("; ");
}
