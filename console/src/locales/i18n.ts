/** Words on the screen: zh-CN is in the first chunk, English is fetched by who wants it. */

import { createI18n } from "vue-i18n";

import { merged, type Catalogue } from "./merged.ts";

export type Language = "zh-CN" | "en";

/** Without those of `later.ts` and `pictures.ts`. */
const chinese = merged(import.meta.glob<Catalogue>(["./zh-CN/*.json", "!./zh-CN/context.json", "!./zh-CN/curve.json", "!./zh-CN/picture.json", "!./zh-CN/reports.json", "!./zh-CN/search.json", "!./zh-CN/settings.json", "!./zh-CN/work.json"], { eager: true, import: "default" }));

export const i18n = createI18n({
  legacy: false,
  locale: "zh-CN",
  fallbackLocale: "zh-CN",
  messages: { "zh-CN": chinese } as Record<string, Catalogue>,
});

/** Show everything in a language, without a reload. Rejects if its words cannot be fetched. */
export async function speak(language: Language): Promise<void> {
  if (language === "en" && !i18n.global.availableLocales.includes("en")) {
    i18n.global.setLocaleMessage("en", (await import("./english.ts")).english);
  }
  i18n.global.locale.value = language;
  document.documentElement.lang = language;
}
