import { fileURLToPath } from "node:url";

import vueI18n from "@intlify/unplugin-vue-i18n/vite";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

import { early } from "./build/early.ts";
import { loader } from "./build/loader.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The gateway that `just console dev` passes REST and sockets to. */
const gateway = process.env.PEAKDESK_GATEWAY ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [
    vue(),
    vueI18n({
      include: here("./src/locales/**/*.json"),
      // Messages are compiled here, so that the page holds no compiler and needs no `eval`.
      runtimeOnly: true,
      dropMessageCompiler: true,
      strictMessage: true,
    }),
    early(new URL("./build/theme.js", import.meta.url), process.env.PEAKDESK_BUILT_FROM ?? "development"),
    loader(new URL("./build/widget.js", import.meta.url)),
  ],
  resolve: { alias: { "@": here("./src") } },
  worker: { format: "es" },
  build: {
    target: "es2023",
    // A page's policy forbids data: in scripts and styles, and a file of its own is cached alone.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // What each first route loads is summed from it; see tests/sizes.test.ts.
    manifest: "chunks.json",
    rolldownOptions: { input: ["index.html", "widget.html", "demo-shop.html"].map(here) },
    sourcemap: false,
  },
  server: {
    host: "127.0.0.1",
    // The host stays this server's: a gateway signs people in on pages of the host that is asked.
    proxy: { "/v1": { target: gateway, ws: true, changeOrigin: false } },
  },
  test: {
    environment: "happy-dom",
    // Each file has a context of its own in a few threads, instead of a process: a fourth of the work.
    pool: "vmThreads",
    setupFiles: ["tests/setup.ts"],
    include: ["tests/**/*.test.ts"],
    restoreMocks: true,
  },
});
