import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Refusal_Reason } from "@qbit-sidecars/qbsync-protocol";
import { writeFileAtomic } from "@qbit-sidecars/service";
import { type ConnectedSources, isAnother, type SourceIdentity } from "./connected-sources.ts";
import { unlessMissing } from "./error-code.ts";
import { RefusedError } from "./refused.ts";

/** Its name in the folder of a torrent. */
export const ownerFile = "source";

/** A connection whose other end has died is noticed by its keepalive, 40 s later at most: the third time of asking. */
const askAgainMs = 15_000;

/**
 * Whose each torrent is: the source's that opened it last. While that one is connected no other may open or abort the
 * torrent, so two sources neither send it at the same time nor undo what the other does.
 */
export class TorrentOwners {
  readonly #stateDir: string;
  readonly #sources: Pick<ConnectedSources, "isConnected">;
  readonly #owners = new Map<string, SourceIdentity>();

  constructor(stateDir: string, sources: Pick<ConnectedSources, "isConnected">) {
    this.#stateDir = stateDir;
    this.#sources = sources;
  }

  /** Takes over what earlier lives noted; which process it was is of no interest any more. */
  async load(ids: Iterable<string>): Promise<void> {
    for (const id of ids) {
      const name = await unlessMissing(readFile(join(this.#stateDir, id, ownerFile), "utf8"));
      if (name !== undefined) this.#owners.set(id, { name, instanceId: "", host: "" });
    }
  }

  /** Empty: it has none, or is not known. */
  nameOf(id: string): string {
    return this.#owners.get(id)?.name ?? "";
  }

  /** @throws RefusedError while another source that is connected has it */
  refuseOthers(id: string, source: SourceIdentity): void {
    const owner = this.#owners.get(id);
    if (owner === undefined || !this.#isHeld(owner, source)) return;
    throw new RefusedError(heldBy(owner, source), Refusal_Reason.BUSY, { retryAfterMs: askAgainMs });
  }

  /** Why this source may not have a torrent dropped; undefined when it may. */
  whyNotAbort(id: string, source: SourceIdentity): string | undefined {
    const owner = this.#owners.get(id);
    if (owner === undefined) return undefined;
    if (this.#isHeld(owner, source)) return heldBy(owner, source);
    // It is not connected now, and will want to go on where it was.
    const isOthers = owner.name !== "" && owner.name !== source.name;
    return isOthers ? `it is the source ${JSON.stringify(owner.name)}'s` : undefined;
  }

  async take(id: string, source: SourceIdentity): Promise<void> {
    const isNews = this.#owners.get(id)?.name !== source.name;
    this.#owners.set(id, source);
    if (isNews) await writeFileAtomic(join(this.#stateDir, id, ownerFile), Buffer.from(source.name));
  }

  forget(id: string): void {
    this.#owners.delete(id);
  }

  #isHeld(owner: SourceIdentity, source: SourceIdentity): boolean {
    if (owner.instanceId === "" || source.instanceId === "") return false;
    return isAnother(owner, source) && this.#sources.isConnected(owner);
  }
}

function heldBy(owner: SourceIdentity, source: SourceIdentity): string {
  const leave = "let only one of them send it, by a tag of --exclude-sync-tag at the other";
  if (owner.name !== source.name)
    return `${owner.name === "" ? "a source without a name" : `the source ${JSON.stringify(owner.name)}`}, at ${owner.host}, sends this torrent already: ${leave}`;
  const called = owner.name === "" ? "that has no name either" : "of the same name";
  return `another source ${called}, at ${owner.host}, sends this torrent already: give each a --source-name (QBSYNC_SOURCE_SOURCE_NAME) of its own, and ${leave}`;
}
