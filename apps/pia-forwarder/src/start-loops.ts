import { type Loop, type Service, startLoop } from "@qbit-sidecars/service";
import type { GivePort } from "./give-port.ts";
import type { HoldPort } from "./hold-port.ts";

/** Apart, so that a qBittorrent that is away does not keep the port from being bound, nor PIA qBittorrent's settings from being put right. */
export type Loops = { holding: Loop; giving: Loop };

type LoopsOptions = Pick<Service, "log" | "clock" | "random" | "signal" | "closers"> &
  Partial<Pick<Service, "metrics" | "health">> & {
    bindEveryMs: number;
    giveEveryMs: number;
    failed?: (error: unknown) => void;
  };

/** Starts holding the port and giving it over; a port that was bound is given at once. */
export function startLoops(hold: HoldPort, give: GivePort, options: LoopsOptions): Loops {
  const { log, clock, random, signal, closers, metrics, health, failed = () => {} } = options;
  const base = { log, clock, random, signal, ...(metrics && { metrics }) };
  const giving = closers.use(
    startLoop({
      ...base,
      ...(health && { health }),
      name: "give-port",
      everyMs: options.giveEveryMs,
      backoff: { minMs: 500, maxMs: 15_000 },
      onFailure: failed,
      step: (context) => give.step(context.signal),
    }),
  );
  hold.on({
    failed,
    troubled: (err, doing) => log.warn({ err }, `${doing}: the port is held all the same, trying again`),
    bound(grant, how) {
      const expiresAt = new Date(grant.expiresAtMs).toISOString();
      log.info({ port: grant.port, expiresAt }, `PIA forwards port ${grant.port} (${how})`);
      giving.wake("the port was bound", { supersede: true });
    },
  });
  const holding = closers.use(
    startLoop({
      ...base,
      name: "hold-port",
      everyMs: options.bindEveryMs,
      // Quick, for each minute without binding is one of fifteen.
      backoff: { minMs: 5000, maxMs: 60_000 },
      step: (context) => hold.step(context.signal),
    }),
  );
  return { holding, giving };
}
