import { errorCode, type Service } from "@qbit-sidecars/service";
import { askHealth } from "@qbit-sidecars/service/doctor";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { readStateFile, stateFileName } from "./state.ts";

/**
 * Writes the running service's `GET /status`, or, when none answers, what the state file says of the port.
 *
 * @returns the exit code: 0 when the service answers and holds a port, 1 when not
 */
export async function showStatus(
  config: Config,
  service: Pick<Service, "signal" | "clock">,
  write: (text: string) => unknown,
): Promise<number> {
  const running = await askService(config, service.signal);
  if (running !== undefined) {
    write(`${JSON.stringify(running, undefined, 2)}\n`);
    return running["held"] === true ? 0 : 1;
  }
  write(`${JSON.stringify(await asKept(config, service), undefined, 2)}\n`);
  return 1;
}

/** @returns the running service's `GET /status`, or undefined when none answers, which is an answer, too */
export async function askService(
  { healthAddr }: Config,
  signal: AbortSignal,
): Promise<Record<string, unknown> | undefined> {
  const answer = await askHealth(healthAddr, "/status", signal);
  return answer?.["running"] === true ? answer : undefined;
}

async function asKept({ stateDir, piaUsername, piaHostname }: Config, { clock }: Pick<Service, "clock">) {
  const path = join(stateDir, stateFileName);
  let unreadable: string | undefined;
  const read = async () => {
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      const code = errorCode(error) ?? String(error);
      unreadable =
        code === "ENOENT"
          ? `nothing answers at HEALTH_ADDR, and no port was kept yet: there is no ${path}`
          : `${path} cannot be read (${code})`;
      return undefined;
    }
  };
  const about = { username: piaUsername, hostname: piaHostname, now: () => clock.now() };
  const { grant, why } = await readStateFile({ read }, about);
  if (grant !== undefined) {
    return { running: false, port: grant.port, expires_at: new Date(grant.expiresAtMs).toISOString() };
  }
  return { running: false, port: null, why: unreadable ?? why };
}
