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
  // The app's package.json says "module"; inside dist its bundle is not one. Elsewhere the file needs no neighbour.
  plugins: [
    {
      name: "mark-dist-as-commonjs",
      generateBundle() {
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
