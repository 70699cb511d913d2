import { writeFile } from "node:fs/promises";
import { parseArgs, styleText } from "node:util";
import { haveOwnMounts, whyNoSoak } from "./own-mounts.ts";
import { runSoak, type SoakOptions } from "./run-soak.ts";
import { describeReport, wrongWith } from "./soak-report.ts";

const usage = `npm run soak -- [--minutes N] [--seed S] [--logs FOLDER] [--report FILE]

Runs all seven apps beside real servers while they are killed, frozen, cut off, put on full disks and given wrong
clocks, and accounts for everything that was asked of them. Exits 0 only when nothing was lost.

  --minutes N     how long faults go on, default 10; it ends some time later, when all is settled
  --seed S        the faults of an earlier run again, in the same order
  --logs FOLDER   keeps the apps' logs there
  --report FILE   writes the ledger as JSON

Linux only; needs unshare of util-linux, and libfaketime, which is got like the servers of the tests.`;

type Wanted = SoakOptions & { report: string | undefined };

const wanted = readArguments();
if (wanted === undefined) console.log(usage);
else {
  const why = await whyNoSoak();
  if (why !== undefined) {
    console.error(why);
    process.exit(2);
  }
  haveOwnMounts();
  process.setMaxListeners(100);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop.abort());
  process.exitCode = await soak(wanted, stop.signal);
}

function readArguments(): Wanted | undefined {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: "string", default: "10" },
        seed: { type: "string", default: String(Math.floor(Math.random() * 1e6)) },
        logs: { type: "string" },
        report: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) return undefined;
    const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
    if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: a number above 0 is wanted`);
    if (!Number.isInteger(seed)) throw new Error(`--seed ${values.seed}: a whole number is wanted`);
    return { minutes, seed, logs: values.logs, report: values.report };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return process.exit(2);
  }
}

/** @returns the exit code */
async function soak(options: Wanted, signal: AbortSignal): Promise<number> {
  const say = teller();
  say(`seed ${options.seed}: getting real servers, and all seven apps beside them`);
  const report = await runSoak(options, { say, signal });
  console.log(`\n${describeReport(report)}`);
  if (options.report !== undefined) await writeFile(options.report, JSON.stringify(report, undefined, 2));
  return wrongWith(report).length === 0 ? 0 : 1;
}

function teller(): (text: string) => void {
  const startedAt = performance.now();
  return (text) => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(7);
    console.log(`${styleText("dim", `${seconds} s`)}  ${text}`);
  };
}
