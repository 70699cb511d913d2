import { readCommandLine } from "@qbit-sidecars/config";
import { aboutDoctor, type ProcessLike, runService, type Surroundings } from "@qbit-sidecars/service";
import { splitOperands } from "./cli/operands.ts";
import { type Config, settings } from "./config.ts";
import { LogFile, logPath } from "./log-file.ts";

const declared = {
  name: "qbt-rules",
  version: "0.1.0", // x-release-please-version
  about: "Rules for qBittorrent: a server that runs them, and the command that asks it to.",
  settings,
  configFile: {
    env: ["QBT_RULES_CONFIG_FILE", "CONFIG_FILE"],
    default: ({ configDir = "/config" }: Partial<Config>) => `${configDir}/config.yml`,
    // Read elsewhere, or of versions before and of plans for later: documented, and left alone.
    otherKeys: ["schedule", "cross_seeding", "metrics", "instances"],
  },
  examples: [
    "qbt-rules --serve",
    "qbt-rules --context scheduled --wait",
    "qbt-rules --context finished --hash 0123456789abcdef0123456789abcdef01234567 --dry-run --wait",
    "qbt-rules --list-jobs --status-filter failed --json",
    "qbt-rules install-hooks",
    "qbt-rules explain 0123456789abcdef0123456789abcdef01234567 --context finished",
    "qbt-rules migrate old-rules.yml > rules.yml",
  ],
};

const commands = [
  { name: "doctor", about: aboutDoctor },
  { name: "healthcheck", about: "Ask the running server's /healthz; exit 0 or 1." },
  { name: "install-hooks", about: "Have qBittorrent tell this server of added and finished torrents." },
  { name: "explain", about: "HASH: what every rule and condition finds of one torrent. Changes nothing." },
  { name: "lint", about: "[FILE]: what is wrong with a rules file, or right and yet senseless." },
  { name: "test", about: "EXAMPLES [FILE]: try the rules on example torrents, without a qBittorrent." },
  { name: "migrate", about: "[FILE]: write a rules file of qbt-rules 0.3 to 0.6 anew, to stdout." },
];

/** Everything `main.ts` runs unless it only answers a health check: the server with `--serve`, else a client. */
export async function program(process: ProcessLike, surroundings?: Surroundings): Promise<void> {
  const { argv, operands } = splitOperands(process.argv.slice(2));
  const read = await readCommandLine(
    { ...declared, commands },
    { argv, env: process.env, columns: process.stdout.columns },
  );
  if (read.kind === "exit") {
    process.stdout.write(read.stdout);
    process.stderr.write(read.stderr);
    process.exitCode = read.code;
    return;
  }
  if (read.command === "doctor") return await examine(process, read, surroundings);
  if (read.config.serve) return await serve(process, read, surroundings);
  const { runCli } = await import("./cli/run-cli.ts");
  process.exitCode = await runCli({ ...read, operands }, process);
}

/** The doctor of the server; a client has its own errors to tell. */
async function examine(
  process: ProcessLike,
  { configFile }: Read,
  surroundings?: Surroundings,
): Promise<void> {
  const { doctor } = await import("./doctor.ts");
  await runService(
    {
      ...declared,
      start: () => Promise.reject(new Error("only the doctor was called")),
      doctor: (config, service) => doctor(config, service, { configFile, env: process.env }),
    },
    process,
    surroundings,
  );
}

type Read = { config: Config; configFile: string | undefined };

async function serve(
  process: ProcessLike,
  { config, configFile }: Read,
  surroundings?: Surroundings,
): Promise<void> {
  const [{ rulesServer }, { readSchedules, ScheduleError }] = await Promise.all([
    import("./app.ts"),
    import("./schedules.ts"),
  ]);
  const schedules = await readSchedules(configFile, process.env).catch((error: unknown) => error);
  if (!Array.isArray(schedules)) {
    if (!(schedules instanceof ScheduleError)) throw schedules;
    process.stderr.write(`qbt-rules cannot start: its schedules are wrong.\n${schedules.message}\n`);
    process.exitCode = 2;
    return;
  }
  const logTo = logPath(config);
  const logFile = logTo === undefined ? undefined : new LogFile(logTo, process.stdout);
  const { QBIT_SIDECARS_GIT_COMMIT: gitCommit, QBIT_SIDECARS_BUILD_DATE: buildDate } = process.env;
  const options = {
    schedules,
    build: { gitCommit, buildDate },
    warnings: [
      ...(logFile?.problem === undefined ? [] : [logFile.problem]),
      ...(config.serverWorkers > 1 ? [oneProcess] : []),
    ],
  };
  await runService(
    {
      ...declared,
      graceMs: ({ gracePeriod }) => gracePeriod,
      start: (settled, service) => rulesServer(settled, service, options),
    },
    logFile === undefined ? process : withStdout(process, logFile),
    surroundings,
  );
}

const oneProcess =
  "QBT_RULES_SERVER_WORKERS is more than 1: one process answers all the same, and it is faster than several were";

/** Not a spread: methods of `process` want it as `this`. */
function withStdout(process: ProcessLike, stdout: LogFile): ProcessLike {
  return new Proxy(process, {
    get(target, key) {
      if (key === "stdout") return stdout;
      const member: unknown = Reflect.get(target, key, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
