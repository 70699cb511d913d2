import type { TestProject } from "vitest/node";
import { ServerUnavailableError } from "./servers/find-program.ts";
import { qbittorrentKind, qbittorrentVersionsUnderTest } from "./servers/kinds.ts";
import { reasonForLack, tellSkip } from "./servers/server-at-hand.ts";

/**
 * Vitest's global setup: gets every qBittorrent under test before the first test starts, so that no test's time limit
 * has to hold a download. Redis and ntfy are got by the first test file that asks for them.
 *
 * @throws ServerUnavailableError under `CI=true`, when one cannot be had
 */
export default async function provideServers(project: TestProject): Promise<void> {
  const unavailable: Record<string, string> = {};
  for (const version of qbittorrentVersionsUnderTest()) {
    const kind = qbittorrentKind(version);
    const reason = await reasonForLack(kind, { thorough: true });
    if (reason === undefined) continue;
    if (process.env.CI === "true") throw new ServerUnavailableError(reason);
    unavailable[kind.name] = reason;
    tellSkip(reason);
  }
  project.provide("unavailableServers", unavailable);
}
