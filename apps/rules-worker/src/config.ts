import { type ConfigOf, declareSettings, setting } from "@qbit-sidecars/config";
import { engineSettings } from "@qbit-sidecars/rules-run/settings";
import { serviceSettings } from "@qbit-sidecars/service";

/** Where health and metrics are served unless told otherwise. */
export const defaultHealthAddr = ":9105";

const why = "only one process can have that open: rules-server, which then runs the jobs itself";
const right = "a Redis or Valkey for both, such as redis://redis:6379/0; with SQLite no rules-worker at all";

/** Every setting of rules-worker: those of the engine, which mean what they mean to rules-server, and how it stops. */
export const settings = declareSettings(
  {
    ...engineSettings(),
    queueBackend: setting.choice({
      env: ["QBT_RULES_QUEUE_BACKEND"],
      key: "queue.backend",
      values: ["sqlite", "redis"],
      default: "redis",
      group: "Queue",
      about: "Where jobs are kept. A worker of its own needs redis, a Redis or Valkey.",
    }),
    // Several processes that write one file lose lines; a worker logs to stdout.
    logFile: setting.path({
      env: ["QBT_RULES_LOG_FILE", "QBT_RULES_LOGGING_FILE"],
      key: "logging.file",
      default: "",
      emptyIs: "value",
      hidden: true,
      about: "Written by rules-server only.",
    }),
    hangTimeout: setting.duration({
      env: ["QBT_RULES_HANG_TIMEOUT"],
      key: "worker.hang_timeout",
      unit: "s",
      default: "15m",
      min: "10s",
      group: "Worker",
      about: "A run that makes no progress for so long is given up, and its jobs fail with that reason.",
    }),
    gracePeriod: setting.duration({
      env: ["QBT_RULES_GRACE_PERIOD"],
      key: "worker.grace_period",
      unit: "s",
      default: "25s",
      min: "1s",
      group: "Worker",
      about: "How long stopping may take; a job that is not over by then goes back to the queue.",
    }),
    healthAddr: serviceSettings({ healthAddr: defaultHealthAddr }).healthAddr,
  },
  [
    {
      of: ["queueBackend"],
      check: ({ queueBackend }) =>
        queueBackend === "redis" ? undefined : { wrong: `it is in a SQLite file, and ${why}`, right },
    },
    {
      of: ["queueBackend", "queueRedisUrl"],
      check: ({ queueBackend, queueRedisUrl }) =>
        queueBackend !== "redis" || queueRedisUrl !== undefined
          ? undefined
          : { wrong: `the latter is not set (a queue in a SQLite file? ${why})`, right },
    },
  ],
);

export type Config = ConfigOf<typeof settings>;
