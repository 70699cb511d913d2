import { type Address, type DeclaredSetting, readTextFile } from "@qbit-sidecars/config";
import { examineQueue, QueueOpenError } from "@qbit-sidecars/jobs";
import type { QbitClient } from "@qbit-sidecars/qbit-client";
import { formatProblem, loadRules } from "@qbit-sidecars/rules";
import { messageWithCauses, type Service } from "@qbit-sidecars/service";
import {
  askHealth,
  compareClocks,
  type DoctorCheck,
  type Finding,
  ok,
  problem,
  qbittorrentDoctor,
  unknown,
  writableFolder,
} from "@qbit-sidecars/service/doctor";
import { dirname } from "node:path";
import { auditPath, type EngineConfig, queueOptions, rulesPath } from "./engine.ts";
import { largestRulesBytes } from "./rules-file.ts";

export type EngineDoctorOptions = {
  readonly config: EngineConfig;
  readonly service: Service;
  readonly settings: { readonly declared: readonly DeclaredSetting[] };
  /** Where the running service answers probes. */
  readonly health: Address;
};

/** What everything that runs rules needs: the rules, a queue, a qBittorrent, and where changes are written down. */
export async function engineDoctor(
  options: EngineDoctorOptions,
): Promise<{ checks: readonly DoctorCheck[]; client: QbitClient }> {
  const { config } = options;
  const audit = auditPath(config);
  const { checks, client } = await qbittorrentDoctor({
    ...options,
    clockMatters: "rules that look at the age of a torrent decide wrongly",
  });
  return {
    client,
    checks: [
      { name: "rules file", look: () => lookAtRules(config) },
      { name: "queue", look: (signal) => lookAtQueue(options, signal) },
      ...(config.queueBackend === "redis" ? [redisClock(options)] : []),
      ...checks,
      ...(audit === undefined
        ? []
        : [
            writableFolder({
              name: "audit log",
              path: dirname(audit),
              setting: "QBT_RULES_AUDIT_LOG",
              otherwise: "changes are told in the log only, and notify may repeat itself after a restart",
            }),
          ]),
    ],
  };
}

async function lookAtRules(config: EngineConfig): Promise<Finding> {
  const path = rulesPath(config);
  const reading = await readTextFile(path, largestRulesBytes);
  if (!reading.ok)
    return problem(`${path} ${reading.problem}`, "write the rules there, or set QBT_RULES_RULES_FILE");
  const loaded = loadRules(reading.text, { file: path, strict: config.rulesStrict });
  if (loaded.ok) return ok(`${path} has ${loaded.ruleset.rules.length} rules and no mistakes`);
  const [first] = loaded.problems;
  const more = loaded.problems.length > 1 ? `, and ${loaded.problems.length - 1} more` : "";
  return problem(
    `${first === undefined ? path : formatProblem(first)}${more}`,
    "correct it; `qbt-rules lint` tells all of them with their lines",
  );
}

/** A queue in a file is locked by the running server, which is asked instead. */
async function lookAtQueue(
  { config, service, health }: EngineDoctorOptions,
  signal: AbortSignal,
): Promise<Finding> {
  const running = await askHealth(health, "/healthz", signal);
  const isOpenHere = config.queueBackend === "sqlite" && running?.["name"] === service.name;
  try {
    const { seen, warnings } = await examineQueue(optionsOf(config, service));
    const [warning] = warnings;
    if (warning !== undefined) return problem(warning, "change that in Redis' configuration");
    return ok(isOpenHere ? `${seen}; the running ${service.name} has it open` : seen);
  } catch (error) {
    if (!(error instanceof QueueOpenError)) throw error;
    return problem(messageWithCauses(error), todoFor(error));
  }
}

function todoFor({ fault }: QueueOpenError): string {
  if (fault === "unreachable")
    return "see that Redis runs and that QBT_RULES_QUEUE_REDIS_URL is right, password included, as seen from here";
  if (fault === "not writable")
    return "put QBT_RULES_CONFIG_DIR or QBT_RULES_QUEUE_SQLITE_PATH on a volume that this user may write";
  return "do as it says";
}

function redisClock({ config, service }: EngineDoctorOptions): DoctorCheck {
  return {
    name: "clock and Redis",
    after: ["queue"],
    async look() {
      const askedMs = service.clock.now();
      const { theirMs } = await examineQueue(optionsOf(config, service));
      const answeredMs = service.clock.now();
      if (theirMs === undefined)
        return unknown("it does not tell its time", "compare `date` on both machines");
      const matters = "the times of jobs are told wrongly";
      return compareClocks({ whose: "Redis", theirs: theirMs, askedMs, answeredMs, matters });
    },
  };
}

const optionsOf = (config: EngineConfig, { log, clock }: Service) => queueOptions(config, { log, clock });
