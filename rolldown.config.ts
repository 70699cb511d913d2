import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { defineConfig, type Plugin } from "rolldown";

/**
 * Bundles the app in the current folder into `dist/main.js`, one file that runs alone with a Node ≥ 24. Each name in the
 * `bin` of the app's package.json becomes `dist/bin/<name>`, by which people call the bundle in an image without a shell.
 *
 * CommonJS, because an ESM bundle's `import … from "node:http"` reads the module's lazy getters and so loads undici
 * (7 MB and 20 ms). What `import()` names is parsed when it is asked for: see `oneFile`.
 */
export default defineConfig({
  input: "src/main.ts",
  platform: "node",
  // Syntax that an old Node can parse, so that main.ts can tell its user in one sentence that it is too old.
  transform: { target: "es2022" },
  plugins: [inlineReadFiles(), finishBundle(), oneFile()],
  output: {
    dir: "dist",
    format: "cjs",
    codeSplitting: true,
    // Error classes are told by their names in logs and metrics.
    minify: {
      mangle: { keepNames: { class: true, function: false } },
      compress: { keepNames: { class: true, function: false } },
      codegen: true,
    },
    sourcemap: false,
    comments: { legal: true },
  },
});

/** A module `<…>.inlined.ts` reads files of the sources; the bundle has what it read while building. */
function inlineReadFiles(): Plugin {
  return {
    name: "inline-read-files",
    async load(id) {
      if (isForeign(id) || !id.endsWith(".inlined.ts")) return null;
      const read: Record<string, unknown> = await import(pathToFileURL(id).href);
      const inlined = Object.entries(read).map(async ([name, reader]) => {
        if (typeof reader !== "function") throw new Error(`${id}: ${name} is no function that reads`);
        return `export const ${name} = async () => (${JSON.stringify(await reader())});`;
      });
      return (await Promise.all(inlined)).join("\n");
    },
  };
}

function finishBundle(): Plugin {
  return {
    name: "finish-bundle",
    generateBundle(_options, files) {
      const bundled = new Set<string>();
      for (const file of Object.values(files)) {
        if (file.type !== "chunk") continue;
        file.code = toAscii(file.code);
        for (const id of file.moduleIds) if (isForeign(id)) bundled.add(packageFolder(id));
      }
      // The app's package.json says "module"; inside dist its bundle is not one. Elsewhere it needs no neighbour.
      this.emitFile({ type: "asset", fileName: "package.json", source: '{ "type": "commonjs" }\n' });
      for (const name of commands()) {
        // Where distroless images have their Node. They have no env that could find another.
        const source = '#!/nodejs/bin/node\nrequire("../main.js");\n';
        this.emitFile({ type: "asset", fileName: `bin/${name}`, source });
      }
      this.emitFile({ type: "asset", fileName: "THIRD-PARTY-NOTICES.txt", source: notices([...bundled]) });
    },
  };
}

/**
 * The parts that `import()` names, as texts inside `main.js`. V8 takes 6 to 8 MB, which it does not give back, for each MB
 * of program that it parses, and it parses a file as a whole: a text it only skips. So nobody pays for what is never
 * asked for (BullMQ, the client's commands), and a health check for nothing but itself.
 */
function oneFile(): Plugin {
  return {
    name: "one-file",
    generateBundle(_options, files) {
      const chunks = Object.values(files).filter((file) => file.type === "chunk");
      const entry = chunks.find(({ isEntry }) => isEntry);
      if (entry === undefined) throw new Error("there is no entry to put the others into");
      const parts = chunks.filter((chunk) => chunk !== entry);
      for (const { fileName } of parts) delete files[fileName];
      const texts = parts.map(({ fileName, code }) => `"./${fileName}":()=>${JSON.stringify(code)}`);
      entry.code = `require=(${requirePart.toString()})(require,module,{${texts.join(",\n")}});\n${entry.code}`;
    },
  };
}

/** Runs in the bundle: a `require` that also knows the texts of parts. */
function requirePart(
  fromNode: NodeJS.Require,
  main: NodeJS.Module,
  texts: Readonly<Record<string, () => string>>,
): NodeJS.Require {
  const { compileFunction, constants } = fromNode("node:vm") as typeof import("node:vm");
  const loaded: Record<string, { exports: unknown }> = { "./main.js": main };
  const load = (id: string): unknown => {
    const known = loaded[id];
    if (known !== undefined) return known.exports;
    const text = texts[id];
    if (text === undefined) return fromNode(id);
    const part: { exports: unknown } = (loaded[id] = { exports: {} });
    const names = ["exports", "require", "module", "__filename", "__dirname"];
    const run = compileFunction(text(), names, {
      filename: `${main.filename}/${id.slice(2)}`,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    run(part.exports, required, part, main.filename, main.path);
    return part.exports;
  };
  const required = Object.assign(load, fromNode);
  return required;
}

function commands(): string[] {
  const { bin = {} } = JSON.parse(readFileSync("package.json", "utf8")) as { bin?: Record<string, string> };
  return Object.keys(bin);
}

/** One character beyond Latin-1 makes V8 keep the whole source at two bytes a character: 0.7 MB for nothing. */
function toAscii(code: string): string {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function isForeign(moduleId: string): boolean {
  return moduleId.includes("/node_modules/");
}

/** "…/node_modules/@scope/name/lib/index.js" is of the package in "…/node_modules/@scope/name". */
function packageFolder(moduleId: string): string {
  return /^.*\/node_modules\/(@[^/]+\/)?[^/]+/u.exec(moduleId)?.[0] ?? moduleId;
}

/** What licences ask for: each text once, under the packages it is the licence of. */
function notices(folders: readonly string[]): string {
  const packagesByText = new Map<string, string[]>();
  for (const folder of folders.toSorted()) {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/iu.test(file));
    const texts = files.map((file) => readFileSync(join(folder, file), "utf8").trim());
    const text = texts.join("\n\n") || `The package holds no text of its licence, which is ${license}.`;
    packagesByText.set(text, [...(packagesByText.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const sections = [...packagesByText].map(([text, packages]) => `${packages.join("\n")}\n\n${text}\n`);
  return ["This program contains the following packages.\n", ...sections].join(`\n${"-".repeat(80)}\n\n`);
}
