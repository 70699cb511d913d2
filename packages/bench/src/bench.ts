import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { bundleSize } from "./bundle-size.ts";
import { coldStart } from "./cold-start.ts";
import { type Row, table } from "./figures.ts";
import { images } from "./images.ts";
import { jobQueue } from "./jobs.ts";
import { memory } from "./memory.ts";
import { qbsyncReceive } from "./qbsync-receive.ts";
import { rules } from "./rules.ts";
import { rulesMemory } from "./rules-memory.ts";
import { rulesOnReal } from "./rules-on-real.ts";
import { rulesServer } from "./rules-server.ts";
import { ntfySidecar } from "./ntfy-sidecar.ts";
import { qbsyncSource } from "./qbsync-source.ts";
import { qbsyncSourceLink } from "./qbsync-source-link.ts";
import { syncLatency } from "./sync-latency.ts";

const usage = `npm run bench                    every figure; takes about 12 minutes
npm run bench -- --minutes 1     with a shorter memory run
npm run bench -- latency         only the benchmarks whose name holds this word`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: "string", default: "10" }, help: { type: "boolean", short: "h" } },
});

const benchmarks: Record<string, () => Promise<Row[]>> = {
  "sync-latency": syncLatency,
  "cold-start": coldStart,
  "bundle-size": () => bundleSize("port-sync"),
  rules,
  "rules-memory": rulesMemory,
  "rules-real": rulesOnReal,
  jobs: jobQueue,
  "rules-server": rulesServer,
  "ntfy-sidecar": ntfySidecar,
  "ntfy-bundle-size": () => bundleSize("ntfy-sidecar"),
  "qbsync-receive": qbsyncReceive,
  "qbsync-source": qbsyncSource,
  "qbsync-link": qbsyncSourceLink,
  images,
  memory: () => memory(Number(values.minutes)),
};

if (values.help) console.log(usage);
else await run();

async function run(): Promise<void> {
  const chosen = Object.entries(benchmarks).filter(
    ([name]) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
  );
  const rows: Row[] = [];
  for (const [name, measure] of chosen) {
    console.error(`measuring ${name} …`);
    rows.push(...(await measure()));
  }
  const [cpu] = cpus();
  console.log(
    `\n${cpus().length} × ${cpu?.model.trim() ?? "unknown CPU"}, Node ${process.version}, ${process.platform}\n`,
  );
  console.log(table(rows));
}
