import { QbitClient } from "@qbit-sidecars/qbit-client";
import { ClientQbittorrent, loadRules, runJob } from "@qbit-sidecars/rules";
import { readFile } from "node:fs/promises";

// A process of its own for each measurement: three times over all torrents, and then its peak of memory in bytes.
void main(process.argv.slice(2));

/** With a file of rules: runs it. Without: only lists the torrents. */
async function main([url = "", file]: readonly string[]): Promise<void> {
  using client = new QbitClient({ url, timeoutMs: 120_000 });
  const once = file === undefined ? async () => void (await client.torrents.info()) : await job(client, file);
  for (let run = 0; run < 3; run += 1) await once();
  // Not maxRSS: on Linux that begins with what the parent had when it started this process.
  const [, kibibytes = ""] = /^VmHWM:\s+(\d+) kB/mu.exec(await readFile("/proc/self/status", "utf8")) ?? [];
  process.stdout.write(String(Number(kibibytes) * 1024));
}

async function job(client: QbitClient, file: string): Promise<() => Promise<void>> {
  const loaded = loadRules(await readFile(file, "utf8"));
  if (!loaded.ok) throw new Error("the rules to measure are wrong");
  const options = { ruleset: loaded.ruleset, qbittorrent: new ClientQbittorrent(client) };
  return async () => void (await runJob({}, options));
}
