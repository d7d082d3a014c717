import { defineConfig } from "vite";

export default defineConfig({
  // Relative addresses, so that the page works under whatever path it is served.
  base: "./",
  worker: { format: "es" },
  // Hides some hundred warnings about directives in dependencies.
  logLevel: "error",
});
