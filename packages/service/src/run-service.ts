import { formatAddress, readCommandLine } from "@qbit-sidecars/config";
import type {
  Address,
  CommandWord,
  ConfigOf,
  EffectiveSetting,
  Program,
  Setting,
  Settings,
} from "@qbit-sidecars/config";

import { systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import { aboutDoctor, type DoctorCheck } from "./doctor/check.ts";
import { healthcheck } from "./healthcheck.ts";
import { createLog, outliveBrokenOutput } from "./log.ts";
import type { LogFormat, Logger, LogLevel } from "./log.ts";
import type { Output, ProcessLike } from "./process-like.ts";
import { runToTheEnd } from "./run-to-the-end.ts";
import { createService } from "./service.ts";
import type { Service } from "./service.ts";
import { StopRequests } from "./stop-requests.ts";

/** Any settings with those of serviceSettings among them. */
export type ServiceDeclaration = Readonly<Record<string, Setting<unknown>>> & {
  readonly logLevel: Setting<LogLevel>;
  readonly logFormat: Setting<LogFormat>;
  readonly healthAddr: Setting<Address>;
};

export type Command<C> = Omit<CommandWord, "name"> & {
  /**
   * Resolves to the exit code. Results go to stdout; the log of a command goes to stderr.
   *
   * @param switches those of the command's own that were given
   */
  run(config: C, service: Service, switches: readonly string[]): Promise<number>;
};

/** A program as config's readCommandLine knows it, and what it does. */
export type App<D extends ServiceDeclaration> = Omit<Program<D>, "commands"> & {
  /** How long stopping may take, start's return and the closers together. Default 10 s. */
  graceMs?: number | ((config: ConfigOf<Settings<D>>) => number);
  /**
   * The app. Resolves when it is done, with an exit code or with nothing for 0; a resident app resolves after
   * service.signal has aborted. A rejection ends the service with exit code 1.
   */
  start(config: ConfigOf<Settings<D>>, service: Service): Promise<void | number>;
  /** What `doctor` looks at, see doctor/check.ts. Loaded only when somebody asks. */
  doctor?(config: ConfigOf<Settings<D>>, service: Service): Promise<readonly DoctorCheck[]>;
  /** Words that do something else than start(). `healthcheck` is there in every app. */
  commands?: Readonly<Record<string, Command<ConfigOf<Settings<D>>>>>;
};

/** Time and chance, for tests. */
export type Surroundings = { clock?: Clock; random?: () => number };

/**
 * Runs an app as a well-behaved process, from the command line to the exit code. The last thing it does is to
 * exit the process.
 *
 * Exit codes: 0 after a normal SIGTERM or SIGINT, or when the app is done; the app's own number (`--once`);
 * 1 when the app failed, something was thrown that nobody caught, or closing failed or took longer than the
 * grace period; 2 for faults in the settings; 128 + signal when a second signal cut the closing short.
 */
export async function runService<D extends ServiceDeclaration>(
  app: App<D>,
  process: ProcessLike,
  surroundings?: Surroundings,
): Promise<void>;
export async function runService(
  app: App<ServiceDeclaration>,
  process: ProcessLike,
  { clock = systemClock, random = Math.random }: Surroundings = {},
): Promise<void> {
  outliveBrokenOutput(process.stdout, process.stderr);
  const stop = new StopRequests(process, clock);
  const commands = {
    ...(app.doctor && { doctor: doctorCommand(app, process) }),
    healthcheck: healthcheckCommand(process),
    ...app.commands,
  };
  const read = await readCommandLine(
    {
      ...app,
      commands: Object.entries(commands).map(([name, { about, switches }]) => ({ name, about, switches })),
    },
    { argv: process.argv.slice(2), env: process.env, columns: process.stdout.columns },
  );
  if (read.kind === "exit") {
    process.stdout.write(read.stdout);
    process.stderr.write(read.stderr);
    // Not exit(): where writing to pipes is asynchronous, that would cut a long --help short.
    process.exitCode = read.code;
    return;
  }

  const { config } = read;
  const command = new Map(Object.entries(commands)).get(read.command ?? "");
  const log = await openLog(app.name, config, {
    output: command ? process.stderr : process.stdout,
    env: process.env,
  });
  stop.log = log;
  if (command === undefined) logSettings(log, read.effective);
  for (const warning of read.warnings) log.warn(warning);
  const service = createService({
    name: app.name,
    version: app.version,
    log,
    signal: stop.signal,
    beforeStop: (what, work) => stop.before(what, work),
    clock,
    random,
  });
  const code = await runToTheEnd({
    run: () =>
      command === undefined ? app.start(config, service) : command.run(config, service, read.switches),
    stop,
    closers: service.closers,
    graceMs: typeof app.graceMs === "function" ? app.graceMs(config) : (app.graceMs ?? 10_000),
    clock,
    log,
  });
  process.exit(code);
}

type ServiceConfig = ConfigOf<Settings<ServiceDeclaration>>;

function openLog(
  name: string,
  { logLevel, logFormat }: ServiceConfig,
  { output, env }: { output: Output; env: ProcessLike["env"] },
): Promise<Logger> {
  const color = output.isTTY === true && !env["NO_COLOR"];
  return createLog({ name, level: logLevel, format: logFormat, output, color });
}

/** One line with every setting and where it came from; secrets come hidden from config. */
function logSettings(log: Logger, effective: readonly EffectiveSetting[]): void {
  const settings = effective.map(({ name, value, source }) => [name, `${value} (${source})`]);
  log.info({ settings: Object.fromEntries(settings) }, "settings");
}

/** What the app needs, looked at; the same for every app. */
function doctorCommand(app: App<ServiceDeclaration>, { stdout }: ProcessLike): Command<ServiceConfig> {
  return {
    about: aboutDoctor,
    // An app may have a setting of that name.
    switches: "json" in app.settings.declaration ? [] : ["--json"],
    async run(config, service, switches) {
      const { runDoctor } = await import("./doctor/doctor.ts");
      const checks = (await app.doctor?.(config, service)) ?? [];
      const { name, version, signal } = service;
      const asJson = switches.includes("--json") || ("json" in config && config["json"] === true);
      return runDoctor({ name, version, checks, config, asJson, stdout, signal });
    },
  };
}

/**
 * The healthcheck of a command line that main.ts did not recognise at first sight, such as one with a flag
 * before the word or an address from the config file.
 */
function healthcheckCommand({ stderr }: ProcessLike): Command<ServiceConfig> {
  return {
    about: "Ask the running service's /healthz; exit 0 or 1.",
    run: ({ healthAddr }) =>
      healthcheck({
        argv: [],
        env: {},
        defaultAddr: formatAddress(healthAddr),
        report: (reason) => stderr.write(`${reason}\n`),
      }),
  };
}
