import { bundleSize } from "./bundle-size.ts";
import { coldStart } from "./cold-start.ts";
import type { Row } from "./figures.ts";
import { images } from "./images.ts";
import { jobQueue } from "./jobs.ts";
import { memory } from "./memory.ts";
import { ntfySidecar } from "./ntfy-sidecar.ts";
import { qbsyncReceive } from "./qbsync-receive.ts";
import { qbsyncSource } from "./qbsync-source.ts";
import { qbsyncSourceLink } from "./qbsync-source-link.ts";
import { rules } from "./rules.ts";
import { rulesMemory } from "./rules-memory.ts";
import { rulesOnReal } from "./rules-on-real.ts";
import { rulesServer } from "./rules-server.ts";
import { syncLatency } from "./sync-latency.ts";

export type Benchmark = () => Promise<Row[]>;

/** Every benchmark by its name, in the order in which docs/figures.md shows them. */
export function benchmarks({ minutes }: { minutes: number }): Readonly<Record<string, Benchmark>> {
  return {
    "sync-latency": syncLatency,
    "cold-start": coldStart,
    "bundle-size": () => bundleSize("port-sync"),
    memory: () => memory(minutes),
    "ntfy-sidecar": ntfySidecar,
    "ntfy-bundle-size": () => bundleSize("ntfy-sidecar"),
    rules,
    "rules-memory": rulesMemory,
    "rules-real": rulesOnReal,
    jobs: jobQueue,
    "rules-server": rulesServer,
    "qbsync-receive": qbsyncReceive,
    "qbsync-source": qbsyncSource,
    "qbsync-link": qbsyncSourceLink,
    images,
  };
}

/** Those a person asks for, each by its name or all whose names hold the word; or the word that fits none. */
export function choose(names: readonly string[], words: readonly string[]): string[] | { unknown: string } {
  const found = (word: string) =>
    names.includes(word) ? [word] : names.filter((name) => name.includes(word));
  const unknown = words.find((word) => found(word).length === 0);
  if (unknown !== undefined) return { unknown };
  const chosen = new Set(words.length === 0 ? names : words.flatMap(found));
  return names.filter((name) => chosen.has(name));
}
