import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { benchmarks, choose } from "./benchmarks.ts";
import { table } from "./figures.ts";
import { accept, type Accepted, bestOf, compare, isBad, tell } from "./guard.ts";
import { type Measured, readJson, readMeasured, type Setting, withRows, writeJson } from "./measured.ts";
import { publishFigures } from "./publish-figures.ts";
import { type Outcome, runBenchmarks, summary } from "./run-benchmarks.ts";

const usage = `npm run bench                         every figure, into docs/figures.md; takes long, and says how long each took
npm run bench -- rules                only this one, or all whose names hold the word
npm run bench -- --guard [names]      changes no file: ratios beside the accepted ones; exit 1 when one got worse
npm run bench -- --accept [names]     measures, writes docs/figures.md and takes the ratios as the ones to keep
npm run bench -- --accept --as-written    takes those that are written already, and measures nothing
npm run bench -- --minutes 1          with a shorter memory run

One that fails is told of at the end (exit 1); the others are measured all the same.`;

const files = {
  measured: new URL("../measured.json", import.meta.url),
  accepted: new URL("../accepted.json", import.meta.url),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "10" },
    guard: { type: "boolean", default: false },
    accept: { type: "boolean", default: false },
    "as-written": { type: "boolean", default: false },
    help: { type: "boolean", short: "h" },
  },
});

if (values.help) console.log(usage);
else process.exitCode = await main();

async function main(): Promise<number> {
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) return wrong(`--minutes takes a number above 0, not ${values.minutes}`);
  const all = benchmarks({ minutes });
  const chosen = choose(Object.keys(all), positionals);
  if ("unknown" in chosen)
    return wrong(`there is no benchmark ${chosen.unknown}; there are ${Object.keys(all).join(", ")}`);
  const written = await readMeasured(files.measured);
  if (values["as-written"]) return await judge(only(written, chosen));
  const { outcomes, measured } = await measure(all, chosen, written);
  console.log(`\n${Object.values(setting()).join(", ")}\n\n${tableOf(measured)}\n\n${summary(outcomes)}`);
  const judged = await judge(values.guard ? await again(all, measured) : measured);
  return outcomes.some((outcome) => "error" in outcome) ? 1 : judged;
}

function wrong(what: string): number {
  console.error(what);
  return 2;
}

type All = ReturnType<typeof benchmarks>;

async function measure(
  all: All,
  chosen: readonly string[],
  written: Measured,
): Promise<{ outcomes: Outcome[]; measured: Measured }> {
  const names = Object.keys(all);
  let [now, kept]: [Measured, Measured] = [{}, written];
  const outcomes = await runBenchmarks(
    chosen.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]] as const])),
    {
      tell: (line) => console.error(line),
      onRows: async (name, rows) => {
        const one = { name, rows, setting: setting() };
        [now, kept] = [withRows(now, one, names), withRows(kept, one, names)];
        if (!values.guard) await publish(kept);
      },
    },
  );
  return { outcomes, measured: now };
}

/** Benchmarks that seem to have got worse are measured once more before anybody is told. */
async function again(all: All, measured: Measured): Promise<Measured> {
  const accepted = (await readJson<Accepted>(files.accepted)) ?? {};
  const suspects = compare(accepted, measured).filter(({ kind }) => kind === "worse");
  const chosen = [...new Set(suspects.map(({ benchmark }) => benchmark))];
  if (chosen.length === 0) return measured;
  console.log(`\nmeasuring again what seems to have got worse: ${chosen.join(", ")}`);
  return bestOf(measured, (await measure(all, chosen, {})).measured);
}

/** After each benchmark, so that a run which is stopped has written what it has. */
async function publish(measured: Measured): Promise<void> {
  await writeJson(files.measured, measured);
  process.env.UPDATE_DOCS = "1";
  await publishFigures(measured);
}

async function judge(measured: Measured): Promise<number> {
  const accepted = (await readJson<Accepted>(files.accepted)) ?? {};
  const findings = compare(accepted, measured);
  const told = findings.filter(({ kind }) => kind !== "same");
  if (values.guard || values.accept)
    for (const finding of told) console.log(`${finding.kind}  ${tell(finding)}`);
  if (values.accept) await writeJson(files.accepted, accept(accepted, measured));
  if (!values.guard) return 0;
  console.log(`${findings.length} ratios compared, ${findings.filter(isBad).length} worse than accepted`);
  return findings.some(isBad) ? 1 : 0;
}

function tableOf(measured: Measured): string {
  return table(Object.values(measured).flatMap(({ rows }) => rows));
}

function only(measured: Measured, names: readonly string[]): Measured {
  return Object.fromEntries(Object.entries(measured).filter(([name]) => names.includes(name)));
}

function setting(): Setting {
  const [cpu] = cpus();
  return {
    machine: `${cpus().length} × ${cpu?.model.trim() ?? "unknown CPU"}, ${process.platform} ${process.arch}`,
    versions: `Node ${process.version}`,
    date: new Date().toISOString().slice(0, 10),
  };
}
