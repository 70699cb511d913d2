import {
  freePort,
  isMissing,
  type MadeTorrent,
  qbittorrentVersionsUnderTest,
  seededRandom,
} from "@qbit-sidecars/testing";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type Download, QbsyncStage } from "./qbsync-stage.ts";

const isLong = process.env["QBIT_SIDECARS_LONG"] === "1";
const killsAtLeast = isLong ? 50 : 4;
const seed = Number(process.env["QBIT_SIDECARS_SEED"] ?? 1);
const versions = qbittorrentVersionsUnderTest().filter((version) => version !== "4.2.5");

/** How long a moment of finalizing is waited for. */
const momentMs = 8000;

const files = [
  { path: "a/film.bin", size: 1_300_000 },
  { path: "b.bin", size: 500_000 },
  { path: "c.bin", size: 300_001 },
  { path: "empty", size: 0 },
  { path: "d.txt", size: 5 },
];
const shapes: readonly Download[] = [
  { version: "v1" },
  { version: "hybrid" },
  { version: "v2", unselected: [0] },
  { version: "v1", padded: true },
  { version: "v1", unselected: [1] },
  { version: "v2" },
  { version: "hybrid", unselected: [2] },
];

/** A way to a port on which what passes is counted: a program that is killed cannot tell what it was sent. */
async function countingWay(target: number): Promise<AsyncDisposable & { port: number; bytes(): number }> {
  let bytes = 0;
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    near.on("data", (data) => (bytes += data.length));
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
  });
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port,
    bytes: () => bytes,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

/** Kills one side or both, again and again, and counts what that costs. */
class Killer {
  readonly #stage: QbsyncStage;
  readonly #random: () => number;
  kills = { transfer: 0, finalize: 0 };
  readonly rehashedBytes = { restart: 0, reuse: 0, finalize: 0 };

  constructor(stage: QbsyncStage, random: () => number) {
    this.#stage = stage;
    this.#random = random;
  }

  /** Strikes while the torrent is on its way, at a moment of its own choice; not once it has arrived. */
  async strike(made: MadeTorrent, during: keyof Killer["kills"]): Promise<void> {
    if (during === "finalize") await this.#finalizing(made);
    await delay(this.#random() * (during === "finalize" ? this.#random() * 400 : 900));
    if (await this.#hasArrived(made)) return;
    const victim = Math.floor(this.#random() * 3);
    if (victim !== 0) await this.count();
    await Promise.all([
      victim === 1 ? undefined : this.#stage.killSource(),
      victim === 0 ? undefined : this.#stage.killDestination(),
    ]);
    this.kills[during] += 1;
    if (victim !== 0) this.#stage.startDestination();
    if (victim !== 1) this.#stage.startSource();
  }

  /** So often, and of that once at least while a torrent was finished: on a fast machine that is soon over. */
  hasStruck(times: number): boolean {
    const { transfer, finalize } = this.kills;
    return transfer + finalize >= times && finalize > 0;
  }

  /** Takes over what this life of the destination counted. */
  async count(): Promise<void> {
    for (const why of ["restart", "reuse", "finalize"] as const)
      this.rehashedBytes[why] += await this.#stage.destinationMetric(
        "qbsync_rehashed_bytes_total",
        `"${why}"`,
      );
  }

  /** All of it is at home, or it is given up waiting: then it is struck wherever it is. */
  async #finalizing(made: MadeTorrent): Promise<void> {
    const until = performance.now() + momentMs;
    while (performance.now() < until) {
      const phases = ['phase="complete"', 'phase="finalizing"'];
      const counts = await Promise.all(
        phases.map((phase) => this.#stage.destinationMetric("qbsync_torrents", phase)),
      );
      if (counts.some((count) => count > 0) || (await this.#hasArrived(made))) return;
      await delay(20);
    }
  }

  async #hasArrived(made: MadeTorrent): Promise<boolean> {
    const torrent = await this.#stage.atSeedbox(made);
    return torrent?.tags.includes("synced") === true;
  }
}

for (const version of versions) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(`between two qBittorrents ${version}`, () => {
    test(
      `either side is killed (kill -9), at least ${killsAtLeast} times, while torrents come and are finished: each arrives whole, and seeds`,
      { timeout: 120_000 + killsAtLeast * 15_000 },
      async () => {
        const random = seededRandom(seed);
        const listen = await freePort();
        await using way = await countingWay(listen);
        await using stage = await QbsyncStage.set({
          version,
          refreshMs: 100,
          env: {
            source: {
              QBSYNC_SOURCE_POLL_INTERVAL: "100ms",
              QBSYNC_SOURCE_WINDOW: "1MiB",
              QBSYNC_SOURCE_DESTINATION_ADDR: `127.0.0.1:${way.port}`,
            },
            destination: {
              QBSYNC_DESTINATION_COMMIT_INTERVAL: "50ms",
              QBSYNC_DESTINATION_LISTEN: `127.0.0.1:${listen}`,
            },
          },
        });
        const killer = new Killer(stage, random);
        let [payloadBytes, sentBytes] = [0, 0];
        for (let round = 0; !killer.hasStruck(killsAtLeast); round += 1) {
          const shape = shapes[round % shapes.length]!;
          const before = way.bytes();
          const made = await stage.download(`torrent ${round}`, {
            files,
            pieceLength: 65_536,
            bytesPerSecond: 1_500_000,
            seed: `${seed} ${round}`,
            ...shape,
          });
          for (const during of ["transfer", "transfer", "finalize", "finalize", "finalize"] as const)
            await killer.strike(made, during);
          await stage.complete(made);
          sentBytes += way.bytes() - before;
          await stage.seeds(made);
          const wanted = made.files.filter((_, index) => shape.unselected?.includes(index) !== true);
          for (const file of wanted) {
            expect(await stage.isSameAtHome(file), `${file.path} of seed ${seed}, round ${round}`).toBe(true);
            payloadBytes += file.size;
          }
        }
        await killer.count();
        const { kills, rehashedBytes } = killer;
        console.log(
          `seed ${seed}: ${kills.transfer} kills during transfer, ${kills.finalize} during finalize; ${sentBytes} bytes were sent, everything counted, for ${payloadBytes} of selected files; hashed again: ${JSON.stringify(rehashedBytes)}`,
        );
      },
    );
  });
}
