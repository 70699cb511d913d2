import { inject } from "vitest";
import { findProgram, ServerUnavailableError } from "./find-program.ts";
import { ntfyKind, type QbittorrentVersion, qbittorrentKind, redisKind, valkeyKind } from "./kinds.ts";
import type { ServerKind } from "./program.ts";

export type ServerName = `qBittorrent ${QbittorrentVersion}` | "Redis" | "Valkey" | "ntfy" | "ntfy 2.11.0";

const kinds: Record<ServerName, () => ServerKind> = {
  "qBittorrent 4.2.5": () => qbittorrentKind("4.2.5"),
  "qBittorrent 4.5.2": () => qbittorrentKind("4.5.2"),
  "qBittorrent 5.1.0": () => qbittorrentKind("5.1.0"),
  "qBittorrent 5.3.0": () => qbittorrentKind("5.3.0"),
  Redis: redisKind,
  Valkey: valkeyKind,
  ntfy: () => ntfyKind(),
  "ntfy 2.11.0": () => ntfyKind("2.11.0"),
};

declare module "vitest" {
  interface ProvidedContext {
    /** Why servers cannot be had on this machine, by name; found out once for all test files. */
    unavailableServers: Record<string, string>;
  }
}

/**
 * Whether a test file must do without a server: `describe.skipIf(await isMissing("Redis"))("the queue", …)`. What is
 * missing is told on stderr, and under `CI=true` it is an error instead.
 *
 * @throws ServerUnavailableError under `CI=true`
 */
export async function isMissing(server: ServerName, env = process.env): Promise<boolean> {
  const known = inject("unavailableServers")?.[server];
  const reason = known ?? (await reasonForLack(kinds[server](), { env }));
  if (reason === undefined) return false;
  if (env.CI === "true") throw new ServerUnavailableError(reason);
  // What is known was told when it was found out.
  if (known === undefined) tellSkip(reason);
  return true;
}

/** Undefined when the server can be had, made ready for use by then. */
export async function reasonForLack(
  kind: ServerKind,
  options: { env?: NodeJS.ProcessEnv; thorough?: boolean } = {},
): Promise<string | undefined> {
  try {
    await findProgram(kind, options);
    return undefined;
  } catch (error) {
    if (error instanceof ServerUnavailableError) return error.message;
    throw error;
  }
}

export function tellSkip(reason: string): void {
  console.error(`\nSKIPPING TESTS: ${reason}\n`);
}
