import { defineConfig } from "rolldown";

/**
 * Bundles the app in the current folder into one file that runs alone with a Node ≥ 24.
 *
 * CommonJS, because an ESM bundle's `import … from "node:http"` reads the module's lazy getters and so loads undici
 * (7 MB and 20 ms). One chunk: what `import()` names is still evaluated only when it is asked for.
 */
export default defineConfig({
  input: "src/main.ts",
  platform: "node",
  // Syntax that an old Node can parse, so that main.ts can tell its user in one sentence that it is too old.
  transform: { target: "es2022" },
  plugins: [
    {
      name: "finish-bundle",
      generateBundle(_options, bundle) {
        for (const file of Object.values(bundle)) if (file.type === "chunk") file.code = toAscii(file.code);
        // The app's package.json says "module"; inside dist its bundle is not one. Elsewhere it needs no neighbour.
        this.emitFile({ type: "asset", fileName: "package.json", source: '{ "type": "commonjs" }\n' });
      },
    },
  ],
  output: {
    dir: "dist",
    format: "cjs",
    codeSplitting: false,
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

/** One character beyond Latin-1 makes V8 keep the whole source at two bytes a character: 0.7 MB for nothing. */
function toAscii(code: string): string {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
