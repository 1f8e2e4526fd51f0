/** Words about pictures, which come with their parts of a screen; English comes whole. */

import { i18n } from "./i18n.ts";
import { merged, type Catalogue } from "./merged.ts";

i18n.global.mergeLocaleMessage("zh-CN", merged(import.meta.glob<Catalogue>("./zh-CN/picture.json", { eager: true, import: "default" })));
