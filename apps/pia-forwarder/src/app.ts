import {
  describePortChange,
  openStateDir,
  readCertificates,
  type Service,
  stopped,
} from "@qbit-sidecars/service";
import { openQbittorrent } from "@qbit-sidecars/service/qbittorrent";
import { tellChanges } from "@qbit-sidecars/service/tell-change";
import { join } from "node:path";
import { piaOverHttps } from "./ask-pia.ts";
import type { Config } from "./config.ts";
import { Gateways, type Host } from "./gateway.ts";
import { GivePort } from "./give-port.ts";
import { HoldPort } from "./hold-port.ts";
import { Pia } from "./pia.ts";
import { PortFile } from "./port-file.ts";
import { qbittorrentListener } from "./qbittorrent.ts";
import { measure, statusReport } from "./report.ts";
import { type Loops, startLoops } from "./start-loops.ts";
import { readStateFile, stateFile, stateFileName } from "./state.ts";
import { tokenSource } from "./token-source.ts";
import { watchTunnel } from "./watch-tunnel.ts";

/**
 * pia-forwarder: obtains, binds and renews a PIA forwarded port, and gives it to qBittorrent.
 *
 * @param host where the tunnel is looked for
 * @returns the exit code with `--once`; otherwise it ends when the service is stopped
 */
export async function piaForwarder(config: Config, service: Service, host: Host): Promise<number | void> {
  const hold = await portHolder(config, service, host);
  const give = await portGiver(config, service, hold);
  const { changes } = give;
  changes.onChange((change) => service.log.info({ change }, describePortChange(change)));
  if (config.once) return giveOnce(hold, give, service);

  const counts = measure(service.metrics, { view: () => hold.view(), given: () => give.given });
  changes.onChange(counts.change);
  const tell = tellChanges({ ...config, service });
  if (tell !== undefined) changes.onChange(tell);
  const loops = startLoops(hold, give, {
    ...service,
    bindEveryMs: bindEvery(config),
    giveEveryMs: Math.min(60_000, config.checkInterval),
    failed: counts.failure,
  });
  noticeTunnel(hold, loops, { service, host });
  serveHealth(hold, loops, { service });
  service.health.route("GET", "/status", () => ({
    body: statusReport({
      view: () => hold.view(),
      holding: () => loops.holding.status(),
      giving: () => loops.giving.status(),
      given: () => give.given,
      changes,
      renewBeforeMs: config.renewBefore,
    }),
  }));
  service.closers.use(await service.health.listen(config.healthAddr));
  await stopped(service.signal);
}

async function portHolder(config: Config, { log, metrics, clock }: Service, host: Host): Promise<HoldPort> {
  const now = () => clock.now();
  if (config.piaCaCert === undefined) {
    log.warn("PIA_CA_CERT is not set, so that nobody checks whether the gateway is PIA's");
  }
  const pia = await piaOf(config, { clock });
  const credentials = credentialsOf(config);
  const promise = "another port is asked for after every restart";
  const folder = await openStateDir({ dir: config.stateDir, promise, log, metrics });
  const about = { hostname: config.piaHostname, username: config.piaUsername, now };
  const { why, ...kept } = await readStateFile(folder, about);
  if (why !== undefined) {
    const keptAs = await folder.setAside(stateFileName);
    log.warn({ keptAs }, `${why}; another port is asked for, what it held is in ${keptAs ?? "it still"}`);
  }
  return new HoldPort({
    pia,
    gateways: new Gateways({
      given: config.piaGateway,
      host,
      ping: (gateway, signal) => pia.ping(gateway, signal),
      onFound: (gateway) => log.info(`PIA's gateway is at ${gateway}`),
    }),
    tokens: tokenSource({
      path: config.piaTokenFile,
      credentials,
      logIn: (using, signal) => pia.token(using, signal),
      now,
    }),
    keeper: stateFile(folder, about),
    policy: {
      bindEveryMs: bindEvery(config),
      renewBeforeMs: config.renewBefore,
      canLogIn: credentials !== undefined,
    },
    kept,
    now,
  });
}

/** PIA as the settings name it. @throws SettingFault when PIA_CA_CERT cannot be used */
export async function piaOf(config: Config, { clock }: Pick<Service, "clock">): Promise<Pia> {
  const transport = piaOverHttps({
    tokenUrl: config.piaTokenUrl,
    gatewayPort: config.piaGatewayPort,
    timeoutMs: config.piaTimeout,
    hostname: config.piaHostname,
    ca: await readCertificates(config.piaCaCert, "PIA_CA_CERT"),
  });
  return new Pia(transport, () => clock.now());
}

/** At most 12 minutes: that leaves three of PIA's fifteen for quick retries. */
function bindEvery({ checkInterval }: Config): number {
  return Math.min(checkInterval, 12 * 60_000);
}

/** @returns undefined where only the token file gives tokens */
export function credentialsOf({ piaUsername, piaPassword }: Config) {
  if (piaUsername === undefined || piaPassword === undefined) return undefined;
  return { username: piaUsername, password: piaPassword.reveal() };
}

async function portGiver(config: Config, service: Service, hold: HoldPort): Promise<GivePort> {
  const client = config.setQbittorrent
    ? await openQbittorrent(config, service, {
        refusedLogins: config.once ? join(config.stateDir, "refused-logins.json") : undefined,
      })
    : undefined;
  return new GivePort({
    held: () => hold.held(),
    onGiven: (port) => hold.release(port),
    listener: client && qbittorrentListener(client, config),
    noticeboard: config.portFile === undefined ? undefined : new PortFile(config.portFile),
    now: () => service.clock.now(),
  });
}

async function giveOnce(hold: HoldPort, give: GivePort, { log, signal }: Service): Promise<number> {
  for (const step of [hold, give]) {
    const result = await step.step(signal);
    if (!result.converged) {
      log.error(result.reason);
      return 1;
    }
  }
  log.info(`port ${hold.held()?.port} is bound and given over`);
  return 0;
}

function noticeTunnel(
  hold: HoldPort,
  { holding }: Loops,
  { service, host }: { service: Service; host: Host },
): void {
  const { clock, log, closers } = service;
  closers.use(
    watchTunnel({
      host,
      clock,
      everyMs: host.lookEveryMs,
      onChange(why) {
        log.info(`${why}: binding the port anew`);
        hold.bindAnew();
        holding.wake(why, { supersede: true });
      },
    }),
  );
}

/** Ready as long as the port is held: one failed binding out of three costs nothing. */
function serveHealth(hold: HoldPort, { holding, giving }: Loops, { service }: { service: Service }): void {
  const { health } = service;
  const port = () => {
    const held = hold.held();
    return held === undefined
      ? { ok: false, detail: holding.status().reason }
      : { ok: true, detail: `PIA forwards port ${held.port}` };
  };
  health.alive("hold-port", () => holding.alive());
  health.ready("hold-port", port);
  health.dependency("pia", port);
  health.dependency("qbittorrent", () => {
    const { converged, reason } = giving.status();
    return { ok: converged, detail: reason };
  });
}
