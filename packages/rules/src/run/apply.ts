import type { Operation } from "../plan/operation.ts";
import type { Change } from "../plan/change.ts";
import { chunks } from "./in-parallel.ts";
import { digest, sendOutside, type OutsideSettings } from "./send-outside.ts";
import type { Outside, RulesQbittorrent } from "./seams.ts";

/** A change that was made, or why it was not. */
export type Done = { readonly change: Change; readonly error: string | undefined };

export type ApplyOptions = {
  qbittorrent: RulesQbittorrent;
  outside: Outside;
  settings: OutsideSettings;
  /** Folder for .torrent files of what is deleted; undefined: none are saved. */
  exportTo?: string | undefined;
  /** Told of each batch once it was tried, before the next one. */
  onDone?: ((done: readonly Done[]) => Promise<void>) | undefined;
  signal?: AbortSignal | undefined;
};

/** Hashes in one request: long lists make one slow answer, short ones many. */
const hashesInOne = 500;
/** After so many failed requests in a row qBittorrent is not there; the rest would only wait for its timeouts. */
const mostFailures = 3;

/** Makes changes in their order, equal ones of many torrents in one request. Never rejects for a failed change. */
export async function apply(changes: readonly Change[], options: ApplyOptions): Promise<Done[]> {
  const done: Done[] = [];
  const deleted = new Set<string>();
  let failures = 0;
  for (const batch of batches(changes)) {
    options.signal?.throwIfAborted();
    const given = failures >= mostFailures ? "not tried: the requests before it failed" : undefined;
    const results =
      given === undefined
        ? await applyBatch(batch, options, deleted)
        : batch.map((change) => ({ change, error: given }));
    await options.onDone?.(results);
    done.push(...results);
    failures = results.every(({ error }) => error !== undefined) ? failures + 1 : 0;
  }
  return done;
}

/** Changes of one rule's one action that are the same operation, in chunks. */
function batches(changes: readonly Change[]): Change[][] {
  const groups = new Map<string, Change[]>();
  for (const change of changes) {
    const operation = change.operation.kind === "notify" ? "notify" : JSON.stringify(change.operation);
    const key = `${change.ruleIndex} ${change.actionIndex} ${operation}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [change]);
    else group.push(change);
  }
  return [...groups.values()].flatMap((group) =>
    group[0]?.operation.kind === "notify" ? [group] : chunks(group, hashesInOne),
  );
}

async function applyBatch(
  batch: readonly Change[],
  options: ApplyOptions,
  deleted: Set<string>,
): Promise<Done[]> {
  const [first] = batch;
  if (first === undefined) return [];
  const { qbittorrent, signal } = options;
  const { operation } = first;
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- all others go to qBittorrent, by hashes
  switch (operation.kind) {
    case "notify":
      return await Promise.all(
        digest(batch).map(
          async ({ changes, message }) =>
            await attempt(changes, async () => {
              await sendOutside({ kind: "notify", message }, { ...options, change: changes[0] ?? first });
            }),
        ),
      ).then((done) => done.flat());
    case "webhook":
    case "arrBlocklist":
      return await eachOf(batch, async (change) => await sendOutside(operation, { ...options, change }));
    case "export":
      return await eachOf(batch, async (change) => await saveTorrent(change, operation.folder, options));
    case "delete":
      return await deleteAll(batch, { ...options, operation, deleted });
    default:
      return await attempt(batch, async () => await qbittorrent.write(operation, hashesOf(batch), signal));
  }
}

type Delete = Operation & { kind: "delete" };

/** Data that several torrents use goes with the last of them: one that could not be deleted still needs it. */
async function deleteAll(
  batch: readonly Change[],
  options: ApplyOptions & { operation: Delete; deleted: Set<string> },
): Promise<Done[]> {
  const { qbittorrent, signal, operation, deleted } = options;
  const { ready, failed: done } = await saveFirst(batch, options);
  const remove = async (changes: readonly Change[], deleteFiles: Delete["deleteFiles"]) => {
    const hashes = hashesOf(changes);
    const results = await attempt(
      changes,
      async () => await qbittorrent.write({ kind: "delete", deleteFiles }, hashes, signal),
    );
    for (const { change, error } of results) if (error === undefined) deleted.add(change.hash);
    done.push(...results);
  };
  let rest = ready;
  for (;;) {
    const going = new Set([...deleted, ...hashesOf(rest)]);
    const isLast = ({ leavesWith = [] }: Change) => leavesWith.every((hash) => going.has(hash));
    const early = rest.filter((change) => !isLast(change));
    rest = rest.filter(isLast);
    if (early.length === 0) break;
    await remove(
      early.map((change) => ({ ...change, after: dataLeft })),
      false,
    );
  }
  await remove(rest, operation.deleteFiles);
  return done;
}

const dataLeft = "deleted, data kept: another torrent that uses it is still there";

function hashesOf(changes: readonly Change[]): string[] {
  return changes.map(({ hash }) => hash);
}

async function eachOf(batch: readonly Change[], work: (change: Change) => Promise<void>): Promise<Done[]> {
  const done: Done[] = [];
  for (const change of batch) done.push(...(await attempt([change], async () => await work(change))));
  return done;
}

/** The job's place to catch: a change that fails is an entry of its report, and the others are still made. */
async function attempt(batch: readonly Change[], work: () => Promise<void>): Promise<Done[]> {
  if (batch.length === 0) return [];
  try {
    await work();
    return batch.map((change) => ({ change, error: undefined }));
  } catch (error) {
    return batch.map((change) => ({ change, error: error instanceof Error ? error.message : String(error) }));
  }
}

async function saveFirst(
  batch: readonly Change[],
  options: ApplyOptions,
): Promise<{ ready: Change[]; failed: Done[] }> {
  const folder = options.exportTo;
  if (folder === undefined) return { ready: [...batch], failed: [] };
  const saved = await eachOf(batch, async (change) => await saveTorrent(change, folder, options));
  const failed = saved.filter(({ error }) => error !== undefined);
  return {
    ready: saved.filter(({ error }) => error === undefined).map(({ change }) => change),
    failed: failed.map(({ change, error }) => ({
      change,
      error: `not deleted, its .torrent file could not be saved: ${error}`,
    })),
  };
}

async function saveTorrent(
  { hash }: Change,
  folder: string,
  { qbittorrent, outside, signal }: ApplyOptions,
): Promise<void> {
  const bytes = await qbittorrent.torrentFile(hash, signal);
  await outside.saveFile({ folder, name: `${hash}.torrent` }, bytes);
}
