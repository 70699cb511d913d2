import { isMissing, tempDir, tiedToThisProcess } from "@qbit-sidecars/testing";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { appNames } from "../pod-parts.ts";
import { whyNoSoak } from "./own-mounts.ts";
import { faultKinds } from "./plan-faults.ts";
import type { SoakReport } from "./soak-report.ts";
import { promises } from "./workload.ts";

const minutes = process.env["QBIT_SIDECARS_LONG"] === "1" ? 30 : 5;
vi.setConfig({ testTimeout: (minutes + 10) * 60_000 });

/** As for missing servers: told, and in CI an error. */
async function isImpossible(): Promise<boolean> {
  const why = await whyNoSoak();
  if (why === undefined) return false;
  if (process.env["CI"] === "true") throw new Error(why);
  console.error(`\nSKIPPING TESTS: ${why}\n`);
  return true;
}

const missing =
  (await isMissing("qBittorrent 5.3.0")) ||
  (await isMissing("Redis")) ||
  (await isMissing("ntfy")) ||
  (await isImpossible());

/** The soak as a terminal would run it. @returns its exit code and report */
async function soak(report: string): Promise<{ code: unknown; report: SoakReport }> {
  const program = fileURLToPath(new URL("soak.ts", import.meta.url));
  const args = [program, "--minutes", String(minutes), "--report", report];
  const child = spawn(...tiedToThisProcess(process.execPath, args), {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = await once(child, "exit");
  return { code, report: JSON.parse(await readFile(report, "utf8")) as SoakReport };
}

describe.skipIf(missing)("all seven apps beside real servers", () => {
  test(`lose nothing, tell nothing twice and show no secret in ${minutes} minutes of random faults`, async () => {
    await using folder = await tempDir();
    const { code, report } = await soak(join(folder.path, "report.json"));
    // What was printed says what is wrong; here is what a run without anything wrong must also have done.
    expect(report.open).toEqual([]);
    expect(report.leaks).toEqual([]);
    expect(code).toBe(0);
    for (const kind of faultKinds) {
      expect(report.recoveries.filter((one) => one.kind === kind).length, kind).toBeGreaterThanOrEqual(3);
    }
    for (const kind of Object.keys(promises)) {
      expect(report.ledger.find((line) => line.kind === kind)?.done, kind).toBeGreaterThan(5);
    }
    for (const place of appNames.flatMap((name) => [`log of ${name}`, `metrics of ${name}`])) {
      expect(report.looked[place], `${place} was searched for secrets`).toBeGreaterThan(1000);
    }
  });
});
