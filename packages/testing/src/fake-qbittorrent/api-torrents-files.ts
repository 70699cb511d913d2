import { relocate } from "./disk.ts";
import { Refusal } from "./answers.ts";
import { integer } from "./params.ts";
import type { Call, Routes } from "./route.ts";
import { theTorrent } from "./select-torrents.ts";
import { hasMetadata, update } from "./torrent.ts";
import type { FakeTorrent } from "./state.ts";

export const torrentFileRoutes: Routes = {
  "torrents/filePrio": { method: "POST", needs: ["hash", "id", "priority"], run: setPriority },
  "torrents/renameFile": {
    method: "POST",
    since: "2.4.0",
    needs: ({ profile }) =>
      profile.has("renameByPath") ? ["hash", "oldPath", "newPath"] : ["hash", "id", "name"],
    run: renameFile,
  },
  "torrents/renameFolder": {
    method: "POST",
    since: "2.8.2",
    needs: ["hash", "oldPath", "newPath"],
    run: renameFolder,
  },
};

/** -1 is what the WebUI shows for a folder of mixed priorities; the API takes it for a file as well. */
const priorities = [-1, 0, 1, 6, 7];

function setPriority({ state, params }: Call): void {
  const priority = integer(params["priority"]);
  if (priority === undefined) throw new Refusal(400, "Priority must be an integer");
  if (!priorities.includes(priority)) throw new Refusal(400, "Priority is not valid");
  const torrent = theTorrent(state, params);
  if (!hasMetadata(torrent)) throw new Refusal(409, "Torrent's metadata has not yet downloaded");
  const chosen = new Set((params["id"] ?? "").split("|").map((id) => fileId(torrent, id)));
  const files = torrent.files.map((file, at) => (chosen.has(at) ? { ...file, priority } : file));
  update(state, torrent, { files });
}

function fileId(torrent: FakeTorrent, value: string): number {
  const id = integer(value);
  if (id === undefined) throw new Refusal(400, "File IDs must be integers");
  if (id < 0 || id >= torrent.files.length) throw new Refusal(409, "File ID is not valid");
  return id;
}

function renameFile({ state, params }: Call): void {
  const torrent = theTorrent(state, params);
  const { from, to } = state.profile.has("renameByPath") ? pathsOf(params) : namesOf(torrent, params);
  if (from === to) return;
  const at = torrent.files.findIndex(({ path }) => path === from);
  if (at < 0) throw new Refusal(409, "No such file: '" + from + "'.");
  refuseTaken(torrent, to);
  const files = torrent.files.map((file, index) => (index === at ? { ...file, path: to } : file));
  relocate(state, torrent, { files });
}

function pathsOf(params: Call["params"]): { from: string; to: string } {
  const { oldPath = "", newPath = "" } = params;
  if (!isPath(oldPath)) throw new Refusal(409, `The old path is invalid: '${oldPath}'.`);
  if (!isPath(newPath)) throw new Refusal(409, `The new path is invalid: '${newPath}'.`);
  if (newPath.startsWith("/")) throw new Refusal(409, `Absolute path isn't allowed: '${newPath}'.`);
  return { from: oldPath, to: newPath };
}

function isPath(path: string): boolean {
  return path !== "" && !path.includes("\0");
}

/** Before 4.3.4 a file is named by its index and keeps its folder. */
function namesOf(torrent: FakeTorrent, params: Call["params"]): { from: string; to: string } {
  const name = (params["name"] ?? "").trim();
  if (name === "") throw new Refusal(400, "Name cannot be empty");
  if (/[/\\\0:?"*<>|]/.test(name)) throw new Refusal(409, "Name is not valid");
  const file = torrent.files[integer(params["id"]) ?? -1];
  if (file === undefined) throw new Refusal(409, "ID is not valid");
  return { from: file.path, to: file.path.replace(/[^/]*$/, name) };
}

function refuseTaken(torrent: FakeTorrent, path: string): void {
  const isTaken = torrent.files.some((file) => file.path === path);
  if (isTaken) throw new Refusal(409, `The file already exists: '${path}'.`);
}

function renameFolder({ state, params }: Call): void {
  const torrent = theTorrent(state, params);
  const { from, to } = pathsOf(params);
  if (from === to) return;
  const isInside = (path: string, folder: string) => path.startsWith(`${folder}/`);
  if (torrent.files.some(({ path }) => isInside(path, to))) {
    throw new Refusal(409, `The folder already exists: '${to}'.`);
  }
  if (!torrent.files.some(({ path }) => isInside(path, from)))
    throw new Refusal(409, `No such folder: '${from}'.`);
  const files = torrent.files.map((file) =>
    isInside(file.path, from) ? { ...file, path: to + file.path.slice(from.length) } : file,
  );
  relocate(state, torrent, { files });
}
