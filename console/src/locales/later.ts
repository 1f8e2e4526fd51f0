/**
 * Words that no first screen says, in the language that is there from the start: who says them imports
 * this. English comes whole.
 */

import { i18n } from "./i18n.ts";
import { merged, type Catalogue } from "./merged.ts";

const later = merged(import.meta.glob<Catalogue>(["./zh-CN/alerts.json", "./zh-CN/context.json", "./zh-CN/curve.json", "./zh-CN/reports.json", "./zh-CN/search.json", "./zh-CN/settings.json", "./zh-CN/work.json"], { eager: true, import: "default" }));

i18n.global.mergeLocaleMessage("zh-CN", later);
