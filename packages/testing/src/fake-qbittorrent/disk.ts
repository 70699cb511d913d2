import type { FakeState, FakeTorrent } from "./state.ts";
import { hasMetadata, update, wantedSize } from "./torrent.ts";

export type Place = Pick<FakeTorrent, "savePath" | "files">;

function pathsOf({ savePath, files }: Place): string[] {
  return files.map(({ path }) => `${savePath}/${path}`);
}

/** Which part of a torrent's bytes lies on the disk, 0 to 1. */
function progressOnDisk({ disk }: FakeState, torrent: FakeTorrent): number {
  const size = wantedSize(torrent);
  if (!hasMetadata(torrent) || size === 0) return 0;
  const here = torrent.files.filter(
    ({ path, priority }) => priority !== 0 && disk.has(`${torrent.savePath}/${path}`),
  );
  const pads = here.length > 0 ? torrent.files.filter(({ isPad }) => isPad) : [];
  return [...here, ...pads].reduce((sum, file) => sum + file.size, 0) / size;
}

/** What a check of the files comes to; the fake is done with it at once. */
export function check(state: FakeState, torrent: FakeTorrent): void {
  const progress = progressOnDisk(state, torrent);
  const now = Math.floor(state.now() / 1000);
  update(state, torrent, {
    progress,
    isMissingFiles: false,
    isUnchecked: false,
    pieces: undefined,
    pinnedState: undefined,
    completedOn: progress >= 1 ? (torrent.completedOn ?? now) : undefined,
  });
  if (progress < 1 && !state.queue.includes(torrent.id)) state.queue.push(torrent.id);
}

/** The torrent's files go along when it is moved or renamed. */
export function relocate(state: FakeState, torrent: FakeTorrent, changes: Partial<Place>): void {
  const before = pathsOf(torrent);
  update(state, torrent, changes);
  const after = pathsOf(torrent);
  for (const [at, path] of before.entries()) {
    if (state.disk.delete(path)) state.disk.add(after[at] as string);
  }
  if (torrent.isMissingFiles) check(state, torrent);
}

export function deleteFiles(state: FakeState, torrent: FakeTorrent): void {
  for (const path of pathsOf(torrent)) state.disk.delete(path);
}

/** All of a torrent's files, as a finished download leaves them. */
export function putFiles(state: FakeState, torrent: FakeTorrent): void {
  for (const path of pathsOf(torrent)) state.disk.add(path);
}
