import type { Json } from "./answers.ts";

export type Fields = Readonly<Record<string, Json>>;

/** One part of what `sync/maindata` tells: each kind has its own way to be sent as a difference. */
type Section =
  | { kind: "objects"; items: ReadonlyMap<string, Fields>; hidesNulls?: boolean }
  | { kind: "groups"; items: ReadonlyMap<string, readonly string[]> }
  | { kind: "words"; items: readonly string[] }
  | { kind: "record"; fields: Fields }
  | { kind: "value"; value: Json };

export type Snapshot = Readonly<Record<string, Section>>;

/** What a session remembers of its `sync/maindata` (and `sync/torrentPeers`) between two calls. */
export type SyncMemory = {
  /** 0 before the first call. */
  sentRid: number;
  sent: Snapshot;
  acceptedRid: number;
  accepted: Snapshot;
  /** 4.6 and later: everything sent since the client's last confirmed answer. */
  buffer: Map<string, Change>;
  /** 4.6 and later: each torrent as it was when it last was in the news. */
  lastNews: Map<string, { news: number; fields: Fields }>;
};

type Change = { kind: Section["kind"]; changed: Map<string, Json>; removed: Set<string> };

export function newSyncMemory(): SyncMemory {
  return { sentRid: 0, sent: {}, acceptedRid: 0, accepted: {}, buffer: new Map(), lastNews: new Map() };
}

/**
 * Up to 4.5 (and `sync/torrentPeers` in every version): the server keeps the last answer and the last one the client
 * confirmed by asking with its rid, and sends the difference from the latter. A lost answer is asked for again with
 * the old rid, and nothing is missing.
 */
export function differenceFromAccepted(memory: SyncMemory, rid: number, now: Snapshot): string {
  if (rid > 0 && rid === memory.sentRid) accept(memory);
  const isFull = rid <= 0 || rid !== memory.acceptedRid;
  const change = isFull ? everything(now) : differences(memory.accepted, now);
  if (isFull) memory.acceptedRid = 0;
  memory.sentRid = nextRid(rid > 0 ? memory.sentRid : 0);
  memory.sent = now;
  return write(change, { rid: memory.sentRid, isFull, withEmpty: isFull });
}

/** How the change buffer treats one object that changes twice before the client confirms. */
export type BufferKeeps = "lastChange" | "allChanges";

/**
 * 4.6 and later: what changed since the last call, whoever saw it, goes into a buffer that is emptied when the client
 * confirms. Up to 5.1 one object has one place in it: when an answer was lost, a field that changed before it and not
 * again after it is lost with it. Later the changes of an object add up.
 */
export function bufferedDifference(
  memory: SyncMemory,
  rid: number,
  { now, keeps }: { now: Snapshot; keeps: BufferKeeps },
): string {
  if (rid > 0 && rid === memory.sentRid) {
    memory.acceptedRid = rid;
    memory.buffer = new Map();
  }
  const isFull = rid <= 0 || memory.sentRid === 0 || rid !== memory.acceptedRid;
  for (const [key, change] of differences(memory.sentRid === 0 ? now : memory.sent, now)) {
    memory.buffer.set(key, merged(memory.buffer.get(key), change, keeps));
  }
  if (isFull) memory.buffer = everything(now);
  memory.sent = now;
  memory.sentRid = nextRid(memory.sentRid);
  return write(memory.buffer, { rid: memory.sentRid, isFull, withEmpty: false });
}

function accept(memory: SyncMemory): void {
  memory.acceptedRid = memory.sentRid;
  memory.accepted = memory.sent;
}

/** rid runs from 1 to a million and starts over. */
function nextRid(rid: number): number {
  return (rid % 1_000_000) + 1;
}

function merged(before: Change | undefined, change: Change, keeps: BufferKeeps): Change {
  if (before === undefined) return change;
  const replacesRecord = keeps === "lastChange" && change.kind === "record" && change.changed.size > 0;
  const changed = new Map(replacesRecord ? [] : before.changed);
  const removed = new Set(before.removed);
  const addsUp = keeps === "allChanges" && change.kind === "objects";
  for (const [id, value] of change.changed) {
    changed.set(id, addsUp ? { ...(changed.get(id) as Fields), ...(value as Fields) } : value);
    removed.delete(id);
  }
  for (const id of change.removed) {
    changed.delete(id);
    removed.add(id);
  }
  return { kind: change.kind, changed, removed };
}

function everything(now: Snapshot): Map<string, Change> {
  return differences({}, now);
}

function differences(before: Snapshot, now: Snapshot): Map<string, Change> {
  const changes = new Map<string, Change>();
  for (const [key, section] of Object.entries(now)) changes.set(key, difference(before[key], section));
  return changes;
}

function difference(before: Section | undefined, now: Section): Change {
  const old = before === undefined ? new Map<string, Json>() : entriesOf(before);
  const current = entriesOf(now);
  const hidesNulls = before !== undefined && now.kind === "objects" && now.hidesNulls === true;
  const changed = new Map<string, Json>();
  for (const [id, value] of current) {
    const known = old.get(id) ?? (hidesNulls ? {} : undefined);
    const changedValue = known === undefined ? value : valueDifference(known, value, now.kind);
    if (changedValue !== undefined) changed.set(id, changedValue);
  }
  const removed = now.kind === "record" ? [] : [...old.keys()].filter((id) => !current.has(id));
  return { kind: now.kind, changed, removed: new Set(removed) };
}

function entriesOf(section: Section): ReadonlyMap<string, Json> {
  if (section.kind === "record") return new Map(Object.entries(section.fields));
  if (section.kind === "words") return new Map(section.items.map((word) => [word, word]));
  if (section.kind === "value") return new Map([["", section.value]]);
  return section.items;
}

function valueDifference(before: Json, now: Json, kind: Section["kind"]): Json | undefined {
  if (before === now) return undefined;
  if (kind === "objects") return fieldDifference(before as Fields, now as Fields);
  return JSON.stringify(before) === JSON.stringify(now) ? undefined : now;
}

function fieldDifference(before: Fields, now: Fields): Fields | undefined {
  const changed: Record<string, Json> = {};
  for (const [field, value] of Object.entries(now)) {
    if ((before[field] ?? null) !== value) changed[field] = value;
  }
  return Object.keys(changed).length > 0 ? changed : undefined;
}

const text = Symbol("the object as JSON");

/** JSON of an object that never changes, made once: 50,000 torrents are asked for again and again. */
export function jsonOf(fields: Fields): string {
  const cached = (fields as { [text]?: string })[text];
  if (cached !== undefined) return cached;
  const value = JSON.stringify(fields);
  Object.defineProperty(fields, text, { value, enumerable: false });
  return value;
}

type Heading = { rid: number; isFull: boolean; withEmpty: boolean };

function write(changes: ReadonlyMap<string, Change>, { rid, isFull, withEmpty }: Heading): string {
  const parts = [`"rid":${rid}`];
  if (isFull) parts.push('"full_update":true');
  for (const [key, change] of changes) {
    if (change.changed.size > 0 || withEmpty) parts.push(`"${key}":${writeChanged(change)}`);
    if (change.removed.size > 0) parts.push(`"${key}_removed":${JSON.stringify([...change.removed])}`);
  }
  return `{${parts.join(",")}}`;
}

function writeChanged({ kind, changed }: Change): string {
  if (kind === "words") return JSON.stringify([...changed.keys()]);
  if (kind === "value") return JSON.stringify(changed.get(""));
  const writeItem = (value: Json) => (kind === "objects" ? jsonOf(value as Fields) : JSON.stringify(value));
  return `{${[...changed].map(([id, value]) => `${JSON.stringify(id)}:${writeItem(value)}`).join(",")}}`;
}
