import type { QbitClient } from "@qbit-sidecars/qbit-client";
import { engineDoctor } from "@qbit-sidecars/rules-run/doctor";
import type { Service } from "@qbit-sidecars/service";
import {
  type DoctorCheck,
  type Finding,
  listenAddress,
  loggedIn,
  ok,
  problem,
  writableFolder,
} from "@qbit-sidecars/service/doctor";
import { dirname } from "node:path";
import { planHooks } from "./cli/install-hooks.ts";
import { serverOf } from "./cli/command.ts";
import { type Config, settings } from "./config.ts";
import { logPath } from "./log-file.ts";
import { readSchedules, ScheduleError } from "./schedules.ts";

export type Surrounding = {
  /** The config file that was read. */
  readonly configFile: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** What the server needs; run where the server runs, with its settings. */
export async function doctor(
  config: Config,
  service: Service,
  { configFile, env }: Surrounding,
): Promise<readonly DoctorCheck[]> {
  const address = { host: config.serverHost, port: config.serverPort };
  const { checks, client } = await engineDoctor({ config, service, settings, health: address });
  const { probeAddr } = config;
  const mine = { app: service.name, health: address };
  const log = logPath(config);
  return [
    { name: "API key", look: () => lookAtKey(config) },
    ...checks,
    { name: "hooks", after: [loggedIn], look: (signal) => lookAtHooks(client, config, signal) },
    { name: "schedules", look: () => lookAtSchedules(configFile, env) },
    ...(log === undefined
      ? []
      : [
          writableFolder({
            name: "log file",
            path: dirname(log),
            setting: "QBT_RULES_LOG_FILE",
            otherwise: "the log goes to stdout only",
          }),
        ]),
    listenAddress({ name: "API address", address, setting: "QBT_RULES_SERVER_PORT", ...mine }),
    ...(probeAddr === undefined
      ? []
      : [listenAddress({ name: "health address", address: probeAddr, setting: "HEALTH_ADDR", ...mine })]),
  ];
}

function lookAtKey({ serverApiKey }: Config): Finding {
  const keys = (serverApiKey?.reveal() ?? "").split(/[,\r\n]/).filter((key) => key.trim() !== "");
  const todo = "make one with `openssl rand -hex 32`, for QBT_RULES_SERVER_API_KEY or its _FILE";
  if (keys.length === 0) return problem("there is none, and the server does not start without", todo);
  if (keys.some((key) => key.trim().length < 16))
    return problem("it is so short that it can be guessed", todo);
  return ok(keys.length === 1 ? "there is one" : `there are ${keys.length}`);
}

async function lookAtHooks(client: QbitClient, config: Config, signal: AbortSignal): Promise<Finding> {
  const { url } = serverOf(config);
  const planned = planHooks(await client.app.preferences({ signal }), { url, key: "" });
  // Whether it is the very command cannot be told without the key that the hooks carry; that one is there can.
  const missing = planned.filter(({ isOurs }) => !isOurs).map(({ context }) => context);
  if (missing.length === 0) return ok("qBittorrent tells this server of added and finished torrents");
  return ok(
    `no hook for ${missing.join(" and ")} torrents: their rules run by schedules and by who asks (\`qbt-rules install-hooks\`)`,
  );
}

async function lookAtSchedules(configFile: string | undefined, env: Surrounding["env"]): Promise<Finding> {
  try {
    const schedules = await readSchedules(configFile, env);
    return ok(schedules.length === 0 ? "there are none" : `there are ${schedules.length}`);
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error;
    return problem(error.message, "correct it: the server does not start with it");
  }
}
