import { setting } from "@qbit-sidecars/config";

export type ServiceSettingsOptions = {
  /** Where the app answers probes unless told otherwise: ":9101". */
  healthAddr: string;
  /** Further variables for the health address, after HEALTH_ADDR. */
  healthEnv?: readonly string[];
  /** Further variables for the log level, after LOG_LEVEL. */
  logLevelEnv?: readonly string[];
};

/** The settings that every app has; spread them into declareSettings. */
export function serviceSettings({ healthAddr, healthEnv = [], logLevelEnv = [] }: ServiceSettingsOptions) {
  return {
    logLevel: setting.logLevel({
      env: ["LOG_LEVEL", ...logLevelEnv],
      default: "info",
      about: "How much is logged.",
    }),
    logFormat: setting.choice({
      env: ["LOG_FORMAT"],
      values: ["auto", "json", "pretty"] as const,
      default: "auto",
      about: "Shape of log lines; auto is pretty on a terminal and json elsewhere.",
    }),
    healthAddr: setting.address({
      env: ["HEALTH_ADDR", ...healthEnv],
      default: healthAddr,
      about: "Where /healthz, /livez, /readyz and /metrics are served.",
    }),
  };
}

/** Who is told a change of the port, for `tellChanges`; spread it beside serviceSettings. */
export function tellChangeSettings() {
  return {
    onChangeCommand: setting.text({
      env: ["ON_CHANGE_COMMAND"],
      pattern: { regex: /\S/u, means: "a program and its arguments" },
      about: "Command to run after a change, without a shell; {{PORT}} and {{PREVIOUS_PORT}} are filled in.",
    }),
    webhookUrl: setting.secret({
      env: ["WEBHOOK_URL"],
      pattern: {
        regex: /^https?:\/\/[^/?#\s]+\S*$/iu,
        means: "a URL that begins with http:// or https://",
      },
      about: "URL that gets a JSON POST after a change.",
    }),
  };
}

/** The setting of an app that keeps state; spread it beside serviceSettings. */
export function stateDirSetting(dir: string) {
  return {
    stateDir: setting.path({
      env: ["STATE_DIR"],
      default: dir,
      about: "Directory for what must survive a restart.",
    }),
  };
}
