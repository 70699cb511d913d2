import { readCertificates, type Service } from "@qbit-sidecars/service";
import {
  compareByHand,
  compareClocks,
  type DoctorCheck,
  type Finding,
  keptFile,
  listenAddress,
  ok,
  problem,
  qbittorrentDoctor,
  unknown,
  writableFolder,
} from "@qbit-sidecars/service/doctor";
import { dirname, join } from "node:path";
import { credentialsOf, piaOf } from "./app.ts";
import { dateOf } from "./ask-pia.ts";
import { type Config, settings } from "./config.ts";
import { Gateways, type Host } from "./gateway.ts";
import type { Pia } from "./pia.ts";
import { PiaError, PiaLoginError, PiaNoTokenError, PiaRateLimitError } from "./pia-errors.ts";
import { askService } from "./show-status.ts";
import { stateFault, stateFileName } from "./state.ts";
import { tokenSource } from "./token-source.ts";

type Context = { config: Config; service: Service; host: Host };

/** What pia-forwarder needs: PIA's gateway, a token, a place for its state, and whoever gets the port. No port is asked for. */
export async function doctor(config: Config, service: Service, host: Host): Promise<readonly DoctorCheck[]> {
  const { healthAddr: health, stateDir, portFile } = config;
  const context = { config, service, host };
  const setting = "STATE_DIR";
  return [
    ...piaChecks(context),
    writableFolder({
      name: "state directory",
      path: stateDir,
      setting,
      otherwise: "every restart asks for another port",
    }),
    keptFile({
      name: "state file",
      path: join(stateDir, stateFileName),
      fault: stateFault,
      onFault: "sets it aside and asks PIA for another port",
    }),
    ...(portFile === undefined
      ? []
      : [
          writableFolder({
            name: "port file",
            path: dirname(portFile),
            setting: "PORT_FILE",
            otherwise: "nobody reads the port",
          }),
        ]),
    ...(await qbittorrentChecks(context)),
    listenAddress({
      name: "health address",
      address: health,
      setting: "HEALTH_ADDR",
      app: service.name,
      health,
    }),
  ];
}

async function qbittorrentChecks({ config, service }: Context): Promise<readonly DoctorCheck[]> {
  if (!config.setQbittorrent) return [];
  const { checks } = await qbittorrentDoctor({ config, service, settings, health: config.healthAddr });
  return checks;
}

function piaChecks(context: Context): DoctorCheck[] {
  const { config, service } = context;
  const opened = openPia(config, service);
  return [
    { name: "PIA's authority", look: () => lookAtAuthority(config) },
    {
      name: "PIA gateway",
      after: ["PIA's authority"],
      look: async (signal) => findGateway(await opened(), context, signal),
    },
    {
      name: "PIA token",
      after: ["PIA's authority"],
      look: async (signal) => lookForToken(await opened(), context, signal),
    },
    { name: "clock", after: ["PIA's authority"], look: (signal) => lookAtClock(context, signal) },
  ];
}

/** Opened with the first look, for what can be wrong with its certificate is a finding. */
function openPia(config: Config, service: Service): () => Promise<Pia> {
  let pia: Promise<Pia> | undefined;
  return () => (pia ??= piaOf(config, service));
}

async function lookAtAuthority({ piaCaCert }: Config): Promise<Finding> {
  const todo = "set PIA_CA_CERT to PIA's ca.rsa.4096.crt (in github.com/pia-foss/manual-connections)";
  try {
    const found = await readCertificates(piaCaCert, "PIA_CA_CERT");
    if (found !== undefined) return ok(`the gateway's certificate is checked with ${piaCaCert}`);
    return ok(
      "PIA_CA_CERT is not set: nobody checks whether the gateway is PIA's, as long as it is inside the tunnel",
    );
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error), todo);
  }
}

async function findGateway(pia: Pia, { config, host }: Context, signal: AbortSignal): Promise<Finding> {
  const gateways = new Gateways({
    given: config.piaGateway,
    host,
    ping: (gateway, signal_) => pia.ping(gateway, signal_),
  });
  try {
    const gateway = await gateways.find(signal);
    await pia.ping(gateway, signal);
    return ok(`PIA's gateway answers at ${gateway}`);
  } catch (error) {
    if (!(error instanceof PiaError)) throw error;
    return problem(
      error.message,
      "see that the tunnel is up, in this network namespace, and to a server with port forwarding (none in the US); PIA_GATEWAY names the gateway",
    );
  }
}

/** A good token file is believed; otherwise one login, unless the running service has one already. */
async function lookForToken(pia: Pia, { config, service }: Context, signal: AbortSignal): Promise<Finding> {
  const running = await askService(config, signal);
  if (running?.["token"] !== undefined && running["token"] !== null)
    return ok("the running pia-forwarder has a token; no login was tried");
  const now = () => service.clock.now();
  const logIn = pia.token.bind(pia);
  const tokens = tokenSource({ path: config.piaTokenFile, credentials: credentialsOf(config), logIn, now });
  try {
    const { from } = await tokens.token(undefined, signal);
    return ok(
      from === "file" ? `${config.piaTokenFile} holds a token` : "PIA takes the user name and password",
    );
  } catch (error) {
    if (!(error instanceof PiaError)) throw error;
    const isWrong = error instanceof PiaLoginError || error instanceof PiaNoTokenError;
    if (isWrong)
      return problem(
        error.message,
        "correct PIA_USERNAME (p and seven digits) and PIA_PASSWORD, or the token file",
      );
    if (error instanceof PiaRateLimitError) return unknown(error.message, "wait some minutes without trying");
    return problem(
      error.message,
      "see that PIA_TOKEN_URL can be reached from here; some countries block it, and a token file does without",
    );
  }
}

/** PIA's gateway tells no time that is worth anything; the server of tokens does. */
async function lookAtClock({ config, service }: Context, signal: AbortSignal): Promise<Finding> {
  const askedMs = service.clock.now();
  const ca = await readCertificates(config.piaCaCert, "PIA_CA_CERT");
  try {
    const theirs = await dateOf(config.piaTokenUrl, { timeoutMs: config.piaTimeout, ca }, signal);
    return compareClocks({
      whose: new URL(config.piaTokenUrl).hostname,
      theirs,
      isReference: true,
      askedMs,
      answeredMs: service.clock.now(),
      matters: "the end of ports and tokens is told wrongly, and certificates may be refused",
    });
  } catch (error) {
    if (!(error instanceof PiaError)) throw error;
    return unknown(error.message, compareByHand(true));
  }
}
