import { freePort, tempDir, tiedToThisProcess } from "@qbit-sidecars/testing";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Row } from "./figures.ts";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const networks = { source: "benchA", destination: "benchB" } as const;
const addresses = { source: "10.99.0.1", destination: "10.99.0.2" } as const;

/**
 * Long enough for many round trips: what is on its way at the first and the last moment is a round trip's worth, which
 * may be counted or not.
 */
const secondsOf = (rtt: string) => Math.max(6, (Number.parseInt(rtt, 10) / 1000) * 40);

/** 1 Gbit/s. Without a limit of its own a link on one machine is as fast as the cores that it shares with both ends. */
const bytesPerSecond = 125_000_000;

/** `mebibytes`: more than goes through in those seconds. */
const cases = [
  { rtt: "20ms", loss: 0, connections: 1, mebibytes: 2048 },
  { rtt: "20ms", loss: 0.001, connections: 1, mebibytes: 1536 },
  { rtt: "100ms", loss: 0, connections: 1, mebibytes: 512 },
  { rtt: "100ms", loss: 0.001, connections: 1, mebibytes: 512 },
  { rtt: "100ms", loss: 0, connections: 8, mebibytes: 2560 },
  { rtt: "550ms", loss: 0, connections: 1, mebibytes: 256 },
  { rtt: "550ms", loss: 0, connections: 8, mebibytes: 1800 },
];
type Case = (typeof cases)[number];

/**
 * How fast both apps are over a link with a round-trip time, packet by packet, as a share of what TCP alone carries over
 * the same link with as many connections. Needs Go (for the link) and root (for its two ends).
 */
export async function qbsyncSourceLink(): Promise<Row[]> {
  if (process.getuid?.() !== 0) return [missing("root")];
  await using folder = await tempDir();
  const delay = join(folder.path, "delay");
  try {
    execFileSync("go", ["build", "-o", delay, path("link/delay.go")]);
  } catch {
    return [missing("Go")];
  }
  const rows: Row[] = [];
  for (const one of cases) {
    await using _link = await openLink(delay, one);
    const raw = await rawTcp(one);
    const ours = await bothApps(one);
    const loss = one.loss === 0 ? "" : `, ${one.loss * 100} % loss`;
    rows.push({
      figure: `qbsync: 1 Gbit/s, ${one.rtt} round trip${loss}, connections: ${one.connections}`,
      value: `${(ours / 1e6).toFixed(1)} MB/s`,
      baseline: `${(raw / 1e6).toFixed(1)} MB/s raw TCP`,
      ratio: `${Math.round((ours / raw) * 100)} %`,
      aim: "≥ 90 %",
    });
    console.error(JSON.stringify(rows.at(-1)));
  }
  return rows;
}

function missing(what: string): Row {
  return {
    figure: "qbsync over a link with a round-trip time",
    value: `not measured: needs ${what}`,
    baseline: "",
    ratio: "",
    aim: "",
  };
}

async function openLink(delay: string, { rtt, loss }: Case): Promise<AsyncDisposable> {
  const ip = (...args: string[]) => execFileSync("ip", args);
  await using opened = new AsyncDisposableStack();
  removeNetworks();
  const args = ["-rtt", rtt, "-loss", String(loss), "-rate", String(bytesPerSecond)];
  const process = spawn(...tiedToThisProcess(delay, args), { stdio: ["ignore", "pipe", "inherit"] });
  opened.defer(removeNetworks);
  opened.defer(async () => {
    process.kill();
    await once(process, "exit");
  });
  await once(process.stdout, "data");
  for (const side of ["source", "destination"] as const) {
    const network = networks[side];
    ip("netns", "add", network);
    ip("link", "set", network, "netns", network);
    ip("-n", network, "link", "set", "lo", "up");
    ip("-n", network, "addr", "add", `${addresses[side]}/24`, "dev", network);
    ip("-n", network, "link", "set", network, "mtu", "1500", "txqueuelen", "10000", "up");
  }
  return opened.move();
}

/** Also those of a run that was killed. */
function removeNetworks(): void {
  for (const network of Object.values(networks))
    spawnSync("ip", ["netns", "del", network], { stdio: "ignore" });
}

/** A program within one of the two networks. */
function within(
  side: keyof typeof networks,
  args: readonly string[],
  env: Record<string, string> = {},
): ChildProcess {
  const command = ["netns", "exec", networks[side], process.execPath, ...args];
  return spawn(...tiedToThisProcess("ip", command), {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function rawTcp({ rtt, connections }: Case): Promise<number> {
  const port = await freePort();
  const receiver = within("destination", [
    path("link/raw-tcp.ts"),
    "listen",
    String(port),
    String(secondsOf(rtt)),
  ]);
  await once(receiver.stderr!, "data");
  const sender = within("source", [
    path("link/raw-tcp.ts"),
    "send",
    addresses.destination,
    String(port),
    String(connections),
  ]);
  const [bytes] = await once(receiver.stdout!, "data");
  sender.kill("SIGKILL");
  await once(sender, "exit");
  return Number(String(bytes)) / secondsOf(rtt);
}

async function bothApps({ rtt, connections, mebibytes }: Case): Promise<number> {
  await using folder = await tempDir();
  const port = await freePort();
  const destination = within("destination", [path("../../../apps/qbsync-destination/dist/main.js")], {
    QBSYNC_DESTINATION_DATA: folder.path,
    QBSYNC_DESTINATION_LISTEN: `0.0.0.0:${port}`,
    QBSYNC_DESTINATION_KEEP_FREE: "0",
    HEALTH_ADDR: "127.0.0.1:8099",
  });
  destination.stdout!.resume();
  destination.stderr!.resume();
  const source = within("source", [
    path("link/source-side.ts"),
    `${addresses.destination}:${port}`,
    String(connections),
    String(secondsOf(rtt)),
    String(mebibytes),
  ]);
  let printed = "";
  for (const stream of [source.stdout!, source.stderr!])
    stream.on("data", (text) => (printed += String(text)));
  await once(source, "exit");
  destination.kill("SIGTERM");
  await once(destination, "exit");
  const result = /^RESULT (\d+)$/mu.exec(printed)?.[1];
  if (result === undefined) throw new Error(`no result; it printed:\n${printed.slice(-2000)}`);
  return Number(result);
}
