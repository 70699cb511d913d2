import { readdir, readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { extname } from "node:path";

/** What a browser is sent, by its path below `page/`. */
export type PageFiles = Readonly<Record<string, { readonly type: string; readonly text: string }>>;

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * Reads the page from its sources: modules as they are, without their types. The bundle has in place of this module
 * what it read while building (`rolldown.config.ts`).
 */
export async function pageFiles(): Promise<PageFiles> {
  const folder = new URL("page/", import.meta.url);
  const files: Record<string, { type: string; text: string }> = {};
  for (const name of await readdir(folder)) {
    const text = await readFile(new URL(name, folder), "utf8");
    const type = types[extname(name)];
    if (type !== undefined) files[name] = { type, text };
    if (name.endsWith(".ts") && !name.endsWith(".test.ts"))
      files[name.replace(/\.ts$/, ".js")] = {
        type: "text/javascript; charset=utf-8",
        text: toJavaScript(text),
      };
  }
  return files;
}

function toJavaScript(text: string): string {
  // Types leave spaces behind, which are of no use in a browser.
  const lines = stripTypeScriptTypes(text)
    .replaceAll(/[ \t]+$/gm, "")
    .replaceAll(/\n{2,}/g, "\n");
  return lines.replaceAll(/(from "\.\/[^"]+)\.ts"/g, '$1.js"');
}
