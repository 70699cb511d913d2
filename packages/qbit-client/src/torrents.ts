import { addTorrents, type AddResult, type AddTorrents } from "./add-torrents.ts";
import type { CallOptions } from "./call.ts";
import { TorrentContent } from "./torrent-content.ts";
import { tagsParam } from "./torrents-change.ts";

/** `client.torrents`: adding torrents, and the categories and tags themselves; the rest is inherited. */
export class TorrentsApi extends TorrentContent {
  /**
   * Adds torrent files, magnet links and URLs, and says of each what became of it, on every version alike:
   * see {@link AddResult}. Never repeated after a broken connection.
   */
  async add(torrents: AddTorrents, options: CallOptions = {}): Promise<AddResult> {
    const have = async (hashes: readonly string[]): Promise<ReadonlySet<string>> =>
      new Set((await this.info({ hashes }, options)).map(({ hash }) => hash));
    return await addTorrents(this.caller, { ...torrents, have }, options);
  }

  /** A category that exists, or a name that is not allowed, is a QbitConflictError. */
  async createCategory(category: CategorySettings, options: CallOptions = {}): Promise<void> {
    await this.caller.call("torrents/createCategory", { ...options, params: categoryParams(category) });
  }

  /** A category that does not exist is a QbitConflictError. */
  async editCategory(category: CategorySettings, options: CallOptions = {}): Promise<void> {
    await this.caller.call("torrents/editCategory", { ...options, params: categoryParams(category) });
  }

  /** Their torrents stay, without a category. */
  async removeCategories(names: readonly string[], options: CallOptions = {}): Promise<void> {
    if (names.length === 0) return;
    await this.caller.call("torrents/removeCategories", {
      ...options,
      params: { categories: names.join("\n") },
    });
  }

  async createTags(tags: readonly string[], options: CallOptions = {}): Promise<void> {
    if (tags.length === 0) return;
    await this.caller.call("torrents/createTags", { ...options, params: { tags: tagsParam(tags) } });
  }

  async deleteTags(tags: readonly string[], options: CallOptions = {}): Promise<void> {
    if (tags.length === 0) return;
    await this.caller.call("torrents/deleteTags", { ...options, params: { tags: tagsParam(tags) } });
  }
}

export interface CategorySettings {
  name: string;
  /** Default "": the default save path, with the category's name below it. */
  savePath?: string;
}

function categoryParams({ name, savePath = "" }: CategorySettings): { category: string; savePath: string } {
  return { category: name, savePath };
}
