import { createHash } from "node:crypto";
import type { Run } from "@qbit-sidecars/jobs";
import type { Outside, OutsideRequest, RulesQbittorrent } from "@qbit-sidecars/rules";

type Held = Pick<Run, "assertHeld">;

/** A qBittorrent that is written to only while the run is held; what only reads passes. */
export function fenced(qbittorrent: RulesQbittorrent, run: Held): RulesQbittorrent {
  const write: RulesQbittorrent["write"] = async (operation, hashes, signal) => {
    await run.assertHeld();
    await qbittorrent.write(operation, hashes, signal);
  };
  return new Proxy(qbittorrent, {
    get(target, key) {
      if (key === "write") return write;
      const member: unknown = Reflect.get(target, key, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

/**
 * Sends only while the run is held, each request with a key that is the same in every attempt of its job: what was
 * sent before a crash can be sent again, and whoever receives it can tell.
 */
export function fencedOutside(outside: Outside, run: Held & Pick<Run, "jobs">): Outside {
  return {
    async send(request, signal) {
      await run.assertHeld();
      const key = idempotencyKey(request, run.jobs);
      const headers = key === undefined ? {} : { "idempotency-key": key };
      return await outside.send({ ...request, headers: { ...request.headers, ...headers } }, signal);
    },
    async saveFile(path, bytes) {
      await run.assertHeld();
      await outside.saveFile(path, bytes);
    },
  };
}

function idempotencyKey({ about, method, url }: OutsideRequest, jobs: Run["jobs"]): string | undefined {
  if (about === undefined) return undefined;
  const job = jobs.find(({ hash }) => hash !== null && sameTorrent(hash, about.hash)) ?? jobs[0];
  const parts = [job?.id, about.hash, about.ruleIndex, about.actionIndex, method, url];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/** A job may name a v2 infohash, of which qBittorrent's id is the beginning. */
export function sameTorrent(asked: string, id: string): boolean {
  return asked.slice(0, 40) === id;
}
