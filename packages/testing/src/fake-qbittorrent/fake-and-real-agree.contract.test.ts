import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { freePort } from "../free-port.ts";
import { qbittorrentVersionsUnderTest } from "../servers/kinds.ts";
import { startQbittorrent } from "../servers/qbittorrent.ts";
import { isMissing } from "../servers/server-at-hand.ts";
import { cleanSlate, readSettings, startSettings } from "./agreement/clean-slate.ts";
import { playSequence } from "./agreement/compare-sides.ts";
import { sequences } from "./agreement/operation.ts";
import { Side } from "./agreement/side.ts";
import { poolFiles, torrentPool, trustedFiles, writeTrustedFiles } from "./agreement/torrent-pool.ts";
import { startFakeQbittorrent } from "./fake-qbittorrent.ts";

const isLong = process.env.QBIT_SIDECARS_LONG === "1";
const budgetMs = isLong ? 180_000 : 20_000;
/** Another seed plays other sequences; the one of a failure is part of its message. */
const seed = Number(process.env.QBIT_SIDECARS_SEED ?? 20_261_120);

for (const version of qbittorrentVersionsUnderTest()) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(
    `the fake and the real qBittorrent ${version}`,
    () => {
      test("answer alike, whatever a client does", { timeout: budgetMs * 4 + 60_000 }, async () => {
        await using server = await startQbittorrent({ version });
        const pool = torrentPool();
        const host = new Side("the real one, between sequences", server.url, pool);
        await cleanSlate(host, await readSettings(host), server.savePath);
        const settings = await readSettings(host);
        const stage = {
          version,
          savePath: server.savePath,
          listenPorts: [server.listenPort, await freePort(), await freePort()],
        };
        let played = 0;
        let steps = 0;
        const property = fc.asyncProperty(sequences(stage, 40), async (sequence) => {
          await cleanSlate(host, settings, server.savePath);
          await using fake = await startFakeQbittorrent({
            version,
            preferences: { ...settings, ...startSettings(settings) },
            filesOnDisk: poolFiles(server.savePath),
          });
          const sides = {
            real: new Side("real", server.url, pool),
            fake: new Side("fake", fake.url, pool),
            losesFields: version.startsWith("5"),
            putTrustedFiles: async () => {
              await writeTrustedFiles(server.savePath);
              fake.putFiles(trustedFiles(server.savePath));
            },
          };
          await playSequence(sides, sequence);
          played++;
          steps += sequence.length;
        });
        await fc.assert(property, {
          seed,
          numRuns: Number.MAX_SAFE_INTEGER,
          interruptAfterTimeLimit: budgetMs,
          endOnFailure: false,
        });
        console.info(`qBittorrent ${version}: ${played} sequences, ${steps} steps, seed ${seed}`);
        expect(played).toBeGreaterThan(5);
      });
    },
  );
}
