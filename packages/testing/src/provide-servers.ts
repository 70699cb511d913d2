import type { TestProject } from "vitest/node";
import { findProgram, ServerUnavailableError } from "./servers/find-program.ts";
import { qbittorrentKind, qbittorrentVersionsUnderTest } from "./servers/kinds.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Why servers cannot be had on this machine, by name. */
    unavailableServers: Record<string, string>;
  }
}

/**
 * Vitest's global setup: gets every qBittorrent under test before the first test starts, so that no test's time limit
 * has to hold a download. Redis and ntfy are fetched by the first test that asks for them.
 */
export default async function provideServers(project: TestProject): Promise<void> {
  const unavailable: Record<string, string> = {};
  for (const version of qbittorrentVersionsUnderTest()) {
    const kind = qbittorrentKind(version);
    const reason = await reasonForLack(() => findProgram(kind, { thorough: true }));
    if (reason !== undefined) unavailable[kind.name] = reason;
  }
  project.provide("unavailableServers", unavailable);
}

async function reasonForLack(find: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await find();
    return undefined;
  } catch (error) {
    if (error instanceof ServerUnavailableError) return error.message;
    throw error;
  }
}
