import { readdir, readFile } from "node:fs/promises";

export const repository = new URL("../../../", import.meta.url);

/** A file of the repository, by its path there. */
export async function readPage(path: string): Promise<string> {
  return await readFile(new URL(path, repository), "utf8");
}

/** Every page that people read. */
export async function pages(): Promise<string[]> {
  const docs = (await readdir(new URL("docs", repository))).map((file) => `docs/${file}`);
  const readmes = ["apps", "packages", "charts"].map(async (parent) => {
    const folders = await readdir(new URL(parent, repository));
    const paths = folders.map((folder) => `${parent}/${folder}/README.md`);
    const found = await Promise.all(
      paths.map(
        async (path) =>
          await readPage(path).then(
            () => path,
            () => "",
          ),
      ),
    );
    return found.filter(Boolean);
  });
  const ownDocs = docs.filter((path) => path.endsWith(".md"));
  return [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "SECURITY.md",
    ...ownDocs,
    ...(await Promise.all(readmes)).flat(),
  ];
}

/** What stands between backquotes on one line; not in fenced blocks. */
export function codeIn(text: string): string[] {
  return [...withoutFences(text).matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
}

/** Relative links, images too. */
export function linksIn(text: string): string[] {
  const all = [...withoutFences(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  return all.filter((link) => !/^[a-z]+:/.test(link));
}

/** Anchors of the headings, as GitHub makes them. */
export function headingsOf(text: string): string[] {
  return [...withoutFences(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
}

function withoutFences(text: string): string {
  return text.replaceAll(/^ *```[^]*?^ *```/gm, "");
}
