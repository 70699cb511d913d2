import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type HandOffRecord, HandOffRecord_Step as Step } from "@qbit-sidecars/qbsync-protocol";
import { writeFileAtomic } from "@qbit-sidecars/service";
import * as z from "zod/mini";
import { unlessMissing } from "./error-code.ts";

/** The name of the file in a torrent's own folder. */
export const handOffFile = "hand-off";

/** What is remembered of a torrent's last hand-off. */
export type SavedHandOff = {
  record: HandOffRecord;
  /** Tags that it is to have once the source has removed it. */
  tags: readonly string[];
  /** It runs and has the tags: from now on it is its own qBittorrent's. */
  isSettled: boolean;
};

const steps: Readonly<Record<string, Step>> = {
  begun: Step.BEGUN,
  starting: Step.STARTING,
  seeding: Step.SEEDING,
  removed: Step.REMOVED,
  "taken back": Step.TAKEN_BACK,
};

const shape = z.object({
  id: z.string(),
  source: z.string(),
  step: z.enum(["begun", "starting", "seeding", "removed", "taken back"]),
  tags: z.array(z.string()),
  settled: z.boolean(),
});

/** Records of hand-offs, one beside each torrent; on the disk when `save` resolves. */
export class HandOffFiles {
  readonly #stateDir: string;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  /** @throws Error when what is there cannot be understood: then nothing may be started or stopped */
  async read(torrentId: string): Promise<SavedHandOff | undefined> {
    const path = this.#path(torrentId);
    const text = await unlessMissing(readFile(path, "utf8"));
    if (text === undefined) return undefined;
    try {
      const { id, source: sourceName, step, tags, settled } = shape.parse(JSON.parse(text));
      return { record: { id, sourceName, step: steps[step] ?? Step.UNSPECIFIED }, tags, isSettled: settled };
    } catch (cause) {
      throw new Error(`reading ${path}: that is no record of a hand-off; delete it if the torrent may run`, {
        cause,
      });
    }
  }

  async save(torrentId: string, { record, tags, isSettled }: SavedHandOff): Promise<void> {
    const step = Object.entries(steps).find(([, value]) => value === record.step)?.[0];
    const content = { id: record.id, source: record.sourceName, step, tags, settled: isSettled };
    await writeFileAtomic(this.#path(torrentId), `${JSON.stringify(content)}\n`);
  }

  #path(torrentId: string): string {
    return join(this.#stateDir, torrentId, handOffFile);
  }
}
