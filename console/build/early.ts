import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import type { Plugin } from "vite";

/**
 * Puts a classic script, and the digest of what the page was built from, into the head of every page.
 *
 * The script blocks, so it is a plain file with a name made of its content: Vite bundles modules
 * alone, and modules run after the first paint.
 */
export function early(file: URL, builtFrom: string): Plugin {
  const source = readFileSync(file, "utf8");
  const digest = createHash("sha256").update(source).digest("hex").slice(0, 8);
  const name = `assets/theme-${digest}.js`;
  let isBuild = false;
  return {
    name: "peakdesk:early",
    configResolved(config) {
      isBuild = config.command === "build";
    },
    buildStart() {
      if (isBuild) this.emitFile({ type: "asset", fileName: name, source });
    },
    configureServer(server) {
      server.middlewares.use(`/${name}`, (_request, response) => {
        response.setHeader("Content-Type", "text/javascript");
        response.end(source);
      });
    },
    transformIndexHtml: () => [
      { tag: "meta", attrs: { name: "built-from", content: builtFrom }, injectTo: "head" },
      { tag: "script", attrs: { src: `/${name}` }, injectTo: "head" },
    ],
  };
}
