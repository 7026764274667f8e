/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

/** Where `npm run dev` sends the calls of the pages: a lineage server, or `npm run fixtures`. */
const server = process.env.HEADWATER_LINEAGE_URL ?? "http://127.0.0.1:8190";

/** Where the build goes: by default the folder that the server embeds. */
const outDir = process.env.HEADWATER_WEB_OUT ?? "../crates/lineage-server/assets";

/**
 * The built page runs its own scripts only, whatever a hostile name in the catalog says. Inline styles are the kit's.
 * Not while developing: the reload of modules needs inline scripts.
 */
function contentSecurityPolicy(): Plugin {
  const policy = [
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join("; ");
  return {
    name: "content-security-policy",
    apply: "build",
    transformIndexHtml: () => [{ tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: policy }, injectTo: "head-prepend" }],
  };
}

export default defineConfig({
  // Relative, so that the pages also work below a path of a reverse proxy.
  base: "./",
  plugins: [react(), contentSecurityPolicy()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { proxy: { "/v1": server, "/api": server, "/monitoring": server } },
  worker: { format: "es" },
  build: {
    outDir,
    // Not emptied by Vite: the folder holds a committed `.gitignore`. `scripts/clean.mjs` empties it.
    emptyOutDir: false,
    // The oldest browsers with CSS `light-dark()`, which the style sheets use.
    target: ["chrome123", "firefox120", "safari17.5"],
    // The licences of all libraries in the pages; they ask to be passed on with copies.
    license: { fileName: "licenses.txt" },
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // Libraries change rarely: browsers keep them when the pages change.
        codeSplitting: {
          groups: [
            { name: "kit", test: /node_modules[\\/](@mantine|@floating-ui)/ },
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler|@tanstack)[\\/]/ },
          ],
        },
      },
    },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}", "fixtures/**/*.test.ts"],
    setupFiles: ["src/test-setup.ts"],
  },
});
