import {
  describePortChange,
  type Loop,
  messageWithCauses,
  type Service,
  startLoop,
  stopped,
} from "@qbit-sidecars/service";
import { openQbittorrent, qbittorrentCheck } from "@qbit-sidecars/service/qbittorrent";
import { ChangeTeller, messengersOf, tellChanges } from "@qbit-sidecars/service/tell-change";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { ControlServer } from "./gluetun-control.ts";
import { PortFile } from "./gluetun-file.ts";
import { fileFirst } from "./port-sources.ts";
import { qbittorrentListener } from "./qbittorrent.ts";
import { measure, statusReport } from "./report.ts";
import { PortSync } from "./sync-port.ts";

/**
 * port-sync: keeps qBittorrent's listening port equal to the port the VPN forwards.
 *
 * @returns the exit code with `--once`; otherwise it ends when the service is stopped
 */
export async function portSync(config: Config, service: Service): Promise<number | void> {
  const client = await openQbittorrent(config, service, {
    refusedLogins: config.once ? refusedLoginsFile(config) : undefined,
  });
  const file = portFile(config, service);
  const sync = new PortSync({
    sources: fileFirst(file, controlServer(config)),
    listener: qbittorrentListener(client),
    policy: policy(config),
    lostAfterMs: config.lostAfter,
    reannounce: config.reannounce,
    longestWaitMs: config.syncInterval,
    clock: service.clock,
  });
  sync.changes.onChange((change) => service.log.info({ change }, describePortChange(change)));
  if (config.once) return syncOnce(sync, { config, service });

  const loop = startSyncing(sync, config, service);
  watchPortFile(file, loop, { config, service });
  const tell = tellChanges({ ...config, service });
  if (tell !== undefined) sync.changes.onChange(tell);
  serveHealth(sync, loop, { config, service });
  service.closers.use(await service.health.listen(config.healthAddr));
  await stopped(service.signal);
}

/** Runs from cron have no state of their own; one file for each qBittorrent is enough. */
function refusedLoginsFile({ qbitUrl }: Config): string {
  const which = createHash("sha256").update(qbitUrl).digest("hex").slice(0, 8);
  return join(tmpdir(), `port-sync-${which}.json`);
}

async function syncOnce(sync: PortSync, { config, service: { log, signal } }: Context): Promise<number> {
  const teller = new ChangeTeller(messengersOf(config));
  sync.changes.onChange((change) => teller.tell(change));
  try {
    const result = await sync.step(signal);
    await teller.step(signal);
    const { forwarded, listening } = sync.view();
    if (!result.converged) log.error(`qBittorrent was left as it is: ${result.reason}`);
    else if (listening?.connection === "disconnected")
      log.warn(`port ${forwarded.port} is set, but qBittorrent reports \`disconnected\``);
    else log.info(`qBittorrent listens on the forwarded port ${forwarded.port}`);
    return result.converged ? 0 : 1;
  } catch (error) {
    log.error(signal.aborted ? "stopped before the port was synced" : messageWithCauses(error));
    return 1;
  }
}

function startSyncing(sync: PortSync, config: Config, service: Service): Loop {
  const counts = measure(service.metrics, { view: () => sync.view(), loop: () => loop.status() }, () =>
    service.clock.now(),
  );
  sync.changes.onChange(counts.change);
  const loop = service.closers.use(
    startLoop({
      ...service,
      name: "sync-port",
      everyMs: config.syncInterval,
      backoff: { minMs: 250, maxMs: 15_000 },
      // However slow the others are, each request ends by its own timeout: about twenty in the longest step.
      hangAfterMs: 60_000 + 20 * (config.qbitTimeout + config.gluetunTimeout),
      onFailure: counts.failure,
      step: ({ signal }) => sync.step(signal),
    }),
  );
  return loop;
}

function watchPortFile(file: PortFile, loop: Loop, { config, service }: Context): void {
  service.closers.use(
    file.watch({
      pollMs: config.pollInterval,
      onChange: () => loop.wake("the port file changed", { supersede: true }),
      onError: (err) =>
        service.log.warn({ err }, "watching the port file; it is still looked at every POLL_INTERVAL"),
    }),
  );
}

function serveHealth(sync: PortSync, loop: Loop, { config, service }: Context): void {
  const { health } = service;
  health.dependency("qbittorrent", qbittorrentCheck(config, loop));
  health.dependency("vpn", () => {
    const { port, why } = sync.view().forwarded;
    return { ok: why === undefined && port !== undefined, detail: why ?? `forwards port ${port}` };
  });
  health.route("GET", "/status", () => ({
    body: statusReport({ view: () => sync.view(), loop: () => loop.status(), changes: sync.changes }),
  }));
  health.route("POST", "/rebind", {
    loopbackOnly: true,
    handler() {
      sync.askRebind();
      loop.wake("a rebind was asked for");
      return { status: 202, body: { rebind: "asked for", see: "/status" } };
    },
  });
}

type Context = { config: Config; service: Service };

/** @returns the file that PORT_FILE names */
export function portFile(config: Config, { clock }: Pick<Service, "clock">): PortFile {
  return new PortFile({ path: config.portFile, index: config.portIndex, debounceMs: config.debounce, clock });
}

/** @returns gluetun's control server, where GLUETUN_ADDR names one */
export function controlServer(config: Config): ControlServer | undefined {
  if (config.gluetunAddr === undefined) return undefined;
  return new ControlServer({
    url: config.gluetunAddr,
    index: config.portIndex,
    timeoutMs: config.gluetunTimeout,
    apiKey: config.gluetunApiKey?.reveal(),
    username: config.gluetunUser,
    password: config.gluetunPass?.reveal(),
  });
}

function policy({ onPortLost, parkPort, disableUpnp, rebindAfter }: Config) {
  return { onPortLost, parkPort, disableUpnp, rebindAfterMs: rebindAfter };
}
