import { QbitClient } from "@qbit-sidecars/qbit-client";
import { ClientQbittorrent, loadRules, runJob } from "@qbit-sidecars/rules";
import { readFile } from "node:fs/promises";

// A process of its own for each measurement: runs a file of rules three times over all torrents and tells its peak.
const [url = "", file = ""] = process.argv.slice(2);
const loaded = loadRules(await readFile(file, "utf8"));
if (!loaded.ok) throw new Error("the rules to measure are wrong");
using client = new QbitClient({ url, timeoutMs: 120_000 });
const qbittorrent = new ClientQbittorrent(client);
for (let run = 0; run < 3; run += 1) await runJob({}, { ruleset: loaded.ruleset, qbittorrent });
process.stdout.write(String(process.resourceUsage().maxRSS * 1024));
