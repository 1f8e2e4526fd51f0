/** All English words, one chunk. */

import { merged, type Catalogue } from "./merged.ts";

export const english = merged(import.meta.glob<Catalogue>("./en/*.json", { eager: true, import: "default" }));
