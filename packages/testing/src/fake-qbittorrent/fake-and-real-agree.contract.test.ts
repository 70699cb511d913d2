import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { freePort } from "../free-port.ts";
import { type QbittorrentVersion, qbittorrentVersionsUnderTest } from "../servers/kinds.ts";
import { startQbittorrent } from "../servers/qbittorrent.ts";
import { isMissing } from "../servers/server-at-hand.ts";
import { cleanSlate, readSettings, startSettings } from "./agreement/clean-slate.ts";
import { Disagreement, playSequence } from "./agreement/compare-sides.ts";
import { LoginClient } from "./agreement/login-client.ts";
import { type LoginOperation, account, loginSequences } from "./agreement/login-operation.ts";
import { type Operation, type Stage, isOld } from "./agreement/operation.ts";
import { sequences } from "./agreement/sequences.ts";
import { Side } from "./agreement/side.ts";
import { poolFiles, torrentPool, trustedFiles, writeTrustedFiles } from "./agreement/torrent-pool.ts";
import { startFakeQbittorrent } from "./fake-qbittorrent.ts";

const isLong = process.env.QBIT_SIDECARS_LONG === "1";
const budgetMs = { sequences: isLong ? 120_000 : 20_000, logins: isLong ? 20_000 : 4000 };
/** Another seed plays other sequences; that of a failure is part of fast-check's message. */
const seed = Number(process.env.QBIT_SIDECARS_SEED ?? 20_261_120);

for (const version of qbittorrentVersionsUnderTest()) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(
    `the fake and the real qBittorrent ${version}`,
    () => {
      test(
        "answer alike, whatever a client does with torrents and settings",
        { timeout: 600_000 },
        async () => {
          await using server = await startQbittorrent({ version });
          const pool = torrentPool();
          const { savePath } = server;
          // 4.2 looks at the files of a torrent that is added stopped, or does not.
          const content = { savePath, isFound: !isOld({ version }) };
          const host = new Side("the real qBittorrent", server.url, pool);
          await cleanSlate(host, await readSettings(host), content);
          const settings = await readSettings(host);
          const listenPorts = [server.listenPort, await freePort(), await freePort()];
          const play = async (sequence: readonly Operation[]) => {
            await cleanSlate(host, settings, content);
            const preferences = { ...settings, ...startSettings(settings) };
            await using fake = await startFakeQbittorrent({
              version,
              preferences,
              filesOnDisk: poolFiles(content),
            });
            const sides = {
              real: new Side("real", server.url, pool),
              fake: new Side("fake", fake.url, pool),
              losesFields: version === "5.1.0",
              putTrustedFiles: async () => {
                await writeTrustedFiles(savePath);
                fake.putFiles(trustedFiles(savePath));
              },
            };
            await playSequence(sides, sequence);
          };
          const stage: Stage = { version, savePath, listenPorts };
          expect(
            await playMany(version, sequences(stage, 40), { play, budgetMs: budgetMs.sequences }),
          ).toBeGreaterThan(0);
        },
      );

      test("let in and refuse the same clients, bans included", { timeout: 600_000 }, async () => {
        await using server = await startQbittorrent({ version, auth: account });
        const play = async (sequence: readonly LoginOperation[]) => {
          // Nothing but a restart makes qBittorrent forget wrong passwords and sessions.
          await server.restart();
          await using fake = await startFakeQbittorrent({ version, auth: account });
          await playLogins(sequence, { real: server.url, fake: fake.url });
        };
        const played = await playMany(version, loginSequences, { play, budgetMs: budgetMs.logins });
        expect(played).toBeGreaterThan(0);
      });
    },
  );
}

type Plan<T> = { play: (sequence: readonly T[]) => Promise<void>; budgetMs: number };

/** As many random sequences as the time allows; a failing one is made shorter before it is shown. @returns how many */
async function playMany<T>(
  version: QbittorrentVersion,
  arbitrary: fc.Arbitrary<readonly T[]>,
  plan: Plan<T>,
): Promise<number> {
  let played = 0;
  let steps = 0;
  const property = fc.asyncProperty(arbitrary, async (sequence) => {
    await plan.play(sequence);
    played++;
    steps += sequence.length;
  });
  const numRuns = Number.MAX_SAFE_INTEGER;
  await fc.assert(property, { seed, numRuns, interruptAfterTimeLimit: plan.budgetMs });
  console.info(`qBittorrent ${version}: ${played} sequences, ${steps} steps, seed ${seed}`);
  return played;
}

async function playLogins(
  sequence: readonly LoginOperation[],
  urls: { real: string; fake: string },
): Promise<void> {
  const clients = (url: string) => ({ first: new LoginClient(url), second: new LoginClient(url) });
  const sides = { real: clients(urls.real), fake: clients(urls.fake) };
  for (const [step, { client, request }] of sequence.entries()) {
    const [real, fake] = [await sides.real[client].do(request), await sides.fake[client].do(request)];
    if (isDeepStrictEqual(real, fake)) continue;
    throw new Disagreement(
      `step ${step}, ${JSON.stringify(request)}: real ${JSON.stringify(real)}, fake ${JSON.stringify(fake)}`,
    );
  }
}
