import type { QbitClient } from "@qbit-sidecars/qbit-client";
import type { Service } from "@qbit-sidecars/service";
import {
  compareClocks,
  type DoctorCheck,
  type Finding,
  keptFile,
  listenAddress,
  loggedIn,
  ok,
  problem,
  qbittorrentDoctor,
  unknown,
  writableFolder,
} from "@qbit-sidecars/service/doctor";
import { join } from "node:path";
import { literal, looseObject, safeParse, string } from "zod/mini";
import { type Config, settings } from "./config.ts";
import { hookTarget, planHooks } from "./install-hooks.ts";
import { ledgerFault, ledgerName } from "./ledger.ts";
import { type Ntfy, NtfyError } from "./ntfy.ts";
import { openNtfy, topicOf } from "./ntfy-settings.ts";

/** What ntfy-sidecar needs: an ntfy that takes its notices, a qBittorrent that calls it, and a place for its ledger. */
export async function doctor(config: Config, service: Service): Promise<readonly DoctorCheck[]> {
  const { healthAddr: health, listenAddr, stateDir } = config;
  const { checks, client } = await qbittorrentDoctor({
    config,
    service,
    settings,
    health,
    clockMatters: "which completions are news after a restart is told wrongly",
  });
  const mine = { app: service.name, health };
  return [
    ...ntfyChecks(config, service),
    ...checks,
    hooksCheck(client, config),
    writableFolder({
      name: "state directory",
      path: stateDir,
      setting: "STATE_DIR",
      otherwise: "what completes during a restart is not told",
    }),
    keptFile({
      name: "ledger",
      path: join(stateDir, ledgerName),
      fault: ledgerFault,
      onFault: "sets it aside and begins a new one",
    }),
    listenAddress({ name: "hook address", address: listenAddr, setting: "LISTEN_ADDR", ...mine }),
    listenAddress({ name: "health address", address: health, setting: "HEALTH_ADDR", ...mine }),
  ];
}

function ntfyChecks(config: Config, { clock }: Service): DoctorCheck[] {
  const ntfy = openNtfy(config);
  const { server, topic } = topicOf(config);
  return [
    { name: "ntfy", look: (signal) => reach(ntfy, server, signal) },
    { name: "ntfy login", after: ["ntfy"], look: (signal) => logIn(ntfy, config, signal) },
    { name: "ntfy topic", after: ["ntfy login"], look: (signal) => mayRead(ntfy, topic, signal) },
    {
      name: "clock and ntfy",
      after: ["ntfy"],
      async look(signal) {
        const askedMs = clock.now();
        const { date } = await ntfy.look("v1/health", signal, { asNobody: true });
        const matters = "quiet hours and the day's messages are counted wrongly";
        return compareClocks({ whose: "ntfy", theirs: date, askedMs, answeredMs: clock.now(), matters });
      },
    },
  ];
}

async function reach(ntfy: Ntfy, server: string, signal: AbortSignal): Promise<Finding> {
  const todo =
    "see that NTFY_SERVER (or the URL in NTFY_TOPIC) is ntfy's address as seen from here, and that DNS works";
  try {
    const { status, json } = await ntfy.look("v1/health", signal, { asNobody: true });
    if (safeParse(looseObject({ healthy: literal(true) }), json).success)
      return ok(`ntfy answers at ${server}`);
    return problem(`what answers at ${server} is not a healthy ntfy (${status})`, todo);
  } catch (error) {
    if (!(error instanceof NtfyError)) throw error;
    return problem(error.message, todo);
  }
}

const accountSchema = () => looseObject({ username: string(), role: string() });

async function logIn(ntfy: Ntfy, config: Config, signal: AbortSignal): Promise<Finding> {
  const { status, json } = await ntfy.look("v1/account", signal);
  const account = safeParse(accountSchema(), json);
  const hasCredentials = config.ntfyToken !== undefined || config.ntfyUser !== undefined;
  if (status === 401 || status === 403)
    return problem(
      "ntfy does not know this token, or user and password",
      "correct NTFY_TOKEN, or NTFY_USER and NTFY_PASS",
    );
  if (status === 429) return unknown("ntfy takes no more requests now", "try again in a minute");
  if (!account.success)
    return unknown(`ntfy does not say who we are (${status})`, "`ntfy-sidecar test-notification` tries it");
  if (account.data.role !== "anonymous") return ok(`ntfy knows us as ${account.data.role}`);
  if (!hasCredentials) return ok("no credentials are set; ntfy takes us as anybody");
  return ok("this ntfy has no users: it does not look at the credentials");
}

async function mayRead(ntfy: Ntfy, topic: string, signal: AbortSignal): Promise<Finding> {
  const { status } = await ntfy.look(`${topic}/auth`, signal);
  if (status === 200)
    return ok("we may read the topic (`ntfy-sidecar test-notification` shows writing, by doing it)");
  return unknown(
    `we may not read the topic (${status}); whether we may write to it cannot be asked`,
    "run `ntfy-sidecar test-notification`, which sends one",
  );
}

function hooksCheck(client: QbitClient, config: Config): DoctorCheck {
  return {
    name: "hooks",
    after: [loggedIn],
    async look(signal) {
      const plans = planHooks(await client.app.preferences({ signal }), hookTarget(config));
      const missing = plans.filter(({ outcome }) => outcome !== "there").map(({ hook }) => hook);
      if (missing.length === 0) return ok("qBittorrent calls us for added and finished torrents");
      if (config.discover) return ok(`no hook for ${missing.join(" and ")} torrents; DISCOVER finds them`);
      return problem(
        `qBittorrent does not call us for ${missing.join(" and ")} torrents`,
        "run `ntfy-sidecar install-hooks` (never overwrites), or set DISCOVER=true",
      );
    },
  };
}
