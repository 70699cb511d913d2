import type { Migration } from "./migration.ts";
import { type MapNode, mapAt, pairOf, renameKey, valueAt } from "./yaml-nodes.ts";

const tagActions = ["add_tag", "add_tags", "remove_tag", "remove_tags", "set_tags"];

export function migrateAction(action: MapNode, migration: Migration): void {
  const type = valueAt(action, "type");
  const params = mapAt(action, "params");
  if (type === "delete_torrent" || type === "delete") migrateDeletion(action, params, migration);
  if (typeof type === "string" && tagActions.includes(type) && params !== undefined)
    migrateTag(params, migration);
  if (type === "start" || type === "resume")
    migration.left(
      pairOf(action, "type")?.value,
      "on qBittorrent 5 this never started anything; now it does",
    );
}

function migrateTag(params: MapNode, migration: Migration): void {
  const tag = pairOf(params, "tag");
  if (tag === undefined || pairOf(params, "tags") !== undefined) return;
  migration.rewritten(
    tag.key,
    "the param tag was ignored, so nothing was ever tagged; now it is tags, and it is applied",
  );
  renameKey(params, "tag", "tags");
}

/** Data is deleted only where the file says so in so many words, whatever the version it was written for did. */
function migrateDeletion(action: MapNode, params: MapNode | undefined, migration: Migration): void {
  const at = pairOf(action, "type")?.value;
  const keep = params && valueAt(params, "keep_files");
  const deletes = params && valueAt(params, "delete_files");
  if (typeof keep !== "boolean" && typeof deletes !== "boolean") {
    migration.rewritten(at, "the data was deleted, too; now it stays, unless you write delete_files: true");
    if (params === undefined) action.set("params", { delete_files: false });
    else params.set("delete_files", false);
    return;
  }
  if (params === undefined) return;
  if (typeof keep === "boolean") {
    const wanted = typeof deletes === "boolean" ? deletes && !keep : !keep;
    const node = pairOf(params, "keep_files")?.key;
    const was =
      typeof deletes === "boolean" && deletes === keep
        ? "keep_files and delete_files contradict each other; the data stays"
        : "0.6 ignored keep_files and deleted the data";
    migration.rewritten(node, `${was}; now it is delete_files: ${wanted}`);
    params.delete("keep_files");
    params.set("delete_files", wanted);
  } else if (deletes === false) {
    const node = pairOf(params, "delete_files")?.key;
    migration.left(node, "0.4 and 0.5 ignored delete_files and deleted the data; now it stays");
  }
}
