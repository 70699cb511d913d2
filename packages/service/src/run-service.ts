import { readCommandLine } from "@qbit-sidecars/config";
import type { ConfigOf, EffectiveSetting, Setting, Settings } from "@qbit-sidecars/config";

import { systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import { createLog, outliveBrokenOutput } from "./log.ts";
import type { LogFormat, Logger, LogLevel } from "./log.ts";
import type { ProcessLike } from "./process-like.ts";
import { runToTheEnd } from "./run-to-the-end.ts";
import { createService } from "./service.ts";
import type { Service } from "./service.ts";
import { StopRequests } from "./stop-requests.ts";

/** Any settings with those of serviceSettings among them. */
type Declaration = Readonly<Record<string, Setting<unknown>>> & {
  readonly logLevel: Setting<LogLevel>;
  readonly logFormat: Setting<LogFormat>;
};

export type Command<C> = {
  about: string;
  /** Resolves to the exit code. Results go to stdout; the log of a command goes to stderr. */
  run(config: C, service: Service): Promise<number>;
};

export type App<D extends Declaration> = {
  name: string;
  version: string;
  /** One sentence for --help. */
  about: string;
  /** What declareSettings returned; with the declarations of serviceSettings among them. */
  settings: Settings<D>;
  examples?: readonly string[];
  /** Words that are accepted and mean nothing, such as the app's own name. */
  ignoredWords?: readonly string[];
  configFile?: { flag: string; env: readonly string[]; default?: string };
  /** How long stopping may take, start's return and closers together. Default 10 s. */
  graceMs?: number | ((config: ConfigOf<Settings<D>>) => number);
  /**
   * The app. Resolves when it is done, with an exit code or with nothing for 0; a resident app resolves after
   * service.signal has aborted. A rejection ends the service with exit code 1.
   */
  start(config: ConfigOf<Settings<D>>, service: Service): Promise<void | number>;
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
export async function runService<D extends Declaration>(
  app: App<D>,
  process: ProcessLike,
  surroundings?: Surroundings,
): Promise<void>;
export async function runService(
  app: App<Declaration>,
  process: ProcessLike,
  { clock = systemClock, random = Math.random }: Surroundings = {},
): Promise<void> {
  outliveBrokenOutput(process.stdout, process.stderr);
  const stop = new StopRequests(process, clock);
  const read = await readCommandLine(
    { ...app, commands: Object.entries(app.commands ?? {}).map(([name, { about }]) => ({ name, about })) },
    { argv: process.argv.slice(2), env: process.env },
  );
  if (read.kind === "exit") {
    process.stdout.write(read.stdout);
    process.stderr.write(read.stderr);
    // Not exit(): where writing to pipes is asynchronous, that would cut a long --help short.
    process.exitCode = read.code;
    return;
  }

  const { config } = read;
  const command = read.command === undefined ? undefined : app.commands?.[read.command];
  const output = command === undefined ? process.stdout : process.stderr;
  const { name, version } = app;
  const log = await createLog({
    name,
    level: config.logLevel,
    format: config.logFormat,
    output,
    color: output.isTTY === true && !process.env["NO_COLOR"],
  });
  stop.log = log;
  logSettings(log, read);
  const service = createService({ name, version, log, signal: stop.signal, clock, random });
  const code = await runToTheEnd({
    run: () => (command === undefined ? app.start(config, service) : command.run(config, service)),
    stop,
    closers: service.closers,
    graceMs: typeof app.graceMs === "function" ? app.graceMs(config) : (app.graceMs ?? 10_000),
    clock,
    log,
  });
  log.info({ code }, `${name} ended`);
  process.exit(code);
}

/** One line with every setting and where it came from; secrets come hidden from config. */
function logSettings(
  log: Logger,
  { effective, warnings }: { effective: readonly EffectiveSetting[]; warnings: readonly string[] },
): void {
  const settings = effective.map(({ name, value, source }) => [name, `${value} (${source})`]);
  log.info({ settings: Object.fromEntries(settings) }, "settings");
  for (const warning of warnings) log.warn(warning);
}
