// Bundles the given tests into built/, with the babel.config.json of the working folder.
import { transformFileAsync } from "@babel/core";
import { build } from "esbuild";

const options = {
  presets: [["@babel/preset-typescript", { onlyRemoveTypeImports: true }]],
  parserOpts: { plugins: ["jsx"] },
};
const relay = {
  name: "relay",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.tsx$/ }, async ({ path }) => {
      const { code } = await transformFileAsync(path, options);
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
