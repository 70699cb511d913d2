import { type ConfigOf, declareSettings, setting } from "@qbit-sidecars/config";
import { engineSettings, redisNeedsUrl } from "@qbit-sidecars/rules-run/settings";
import { serviceSettings } from "@qbit-sidecars/service";

/** Where health and metrics are served unless told otherwise. */
export const defaultHealthAddr = ":9105";

/** Every setting of rules-worker: those of the engine, which mean what they mean to rules-server, and how it stops. */
export const settings = declareSettings(
  {
    ...engineSettings(),
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
        queueBackend === "redis"
          ? undefined
          : {
              wrong:
                "the queue is in SQLite, a file that only rules-server can have open, and it runs the jobs itself",
              right: "redis, here and for rules-server; with sqlite no rules-worker is needed",
            },
    },
    redisNeedsUrl,
  ],
);

export type Config = ConfigOf<typeof settings>;
