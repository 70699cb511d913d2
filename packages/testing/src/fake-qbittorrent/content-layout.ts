import type { Content, Metainfo } from "./metainfo.ts";
import { type Params, toggle } from "./params.ts";
import { type FakeFile, type FakeState, textSetting } from "./state.ts";

type Layout = "Original" | "Subfolder" | "NoSubfolder";

/** The torrent's files, in a folder or not, as asked for. */
export function layOut(state: FakeState, { name, content }: Metainfo, params: Params): FakeFile[] {
  if (content === undefined) return [];
  const layout = layoutOf(state, params);
  const hidesPads = state.profile.has("padFilesHidden");
  return content.files
    .filter(({ isPad }) => !(isPad && hidesPads))
    .map(({ path, size, isPad }) => ({
      path: placed(path, { layout, name, content }),
      size,
      isPad,
      priority: normalPriority(state),
    }));
}

/** 4.2 shows libtorrent's own scale, later versions their own. */
function normalPriority(state: FakeState): number {
  return state.profile.atLeast("2.6.0") ? 1 : 4;
}

function layoutOf(state: FakeState, params: Params): Layout {
  const { profile, preferences } = state;
  if (profile.has("contentLayout")) {
    const layout = params["contentLayout"] || textSetting(state, "torrent_content_layout");
    return layout === "Subfolder" || layout === "NoSubfolder" ? layout : "Original";
  }
  const keepsFolder = toggle(params["root_folder"]) ?? preferences["create_subfolder_enabled"] !== false;
  return keepsFolder ? "Original" : "NoSubfolder";
}

function placed(path: string, torrent: { layout: Layout; name: string; content: Content }): string {
  const { layout, name, content } = torrent;
  if (layout === "NoSubfolder" && content.hasRootFolder) return path.slice(path.indexOf("/") + 1);
  if (layout === "Subfolder" && !content.hasRootFolder) return `${withoutExtension(name)}/${path}`;
  return path;
}

function withoutExtension(name: string): string {
  return name.replace(/(?<=.)\.[^.]*$/, "");
}
