// Bundles the tests of the clients, with Relay's Babel plugin, into built/ of the working folder.
import { transformFileAsync } from "@babel/core";
import { build } from "esbuild";

const presets = [["@babel/preset-typescript", { onlyRemoveTypeImports: true }]];
const relay = {
  name: "relay",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.tsx$/ }, async ({ path }) => {
      const { code } = await transformFileAsync(path, { presets, parserOpts: { plugins: ["jsx"] } });
      return { contents: code, loader: "jsx" };
    }),
};

await build({
  entryPoints: process.argv.slice(2),
  outdir: "built",
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  jsx: "automatic",
  external: ["happy-dom"],
  logLevel: "warning",
  plugins: [relay],
});
