/** What a person likes to see in this browser: theme, density and language, kept in localStorage. */

import { shallowRef, watchEffect } from "vue";

import { ofBrowser } from "@/core/storage.ts";
import { speak, type Language } from "@/locales/i18n.ts";

export type Theme = "light" | "dark" | "system";
export type Density = "cosy" | "compact";

const CHANNEL = "peakdesk.preferences";

function kept<Value extends string>(key: string, allowed: readonly Value[], otherwise: Value): Value {
  const found = ofBrowser.get(`peakdesk.${key}`);
  return allowed.find((value) => value === found) ?? otherwise;
}

const THEMES = ["light", "dark", "system"] as const;
const LANGUAGES = ["zh-CN", "en"] as const;
const DENSITIES = ["cosy", "compact"] as const;

export const theme = shallowRef<Theme>("system");
export const density = shallowRef<Density>("cosy");
export const language = shallowRef<Language>("zh-CN");

function read(): void {
  theme.value = kept("theme", THEMES, "system");
  density.value = kept("density", DENSITIES, "cosy");
  language.value = kept("language", LANGUAGES, "zh-CN");
}

/** Show the page as this browser's person likes it, and as other tabs of theirs change it. */
export async function applyPreferences(): Promise<void> {
  read();
  const darkSystem = matchMedia("(prefers-color-scheme: dark)");
  const systemIsDark = shallowRef(darkSystem.matches);
  darkSystem.addEventListener("change", () => (systemIsDark.value = darkSystem.matches));
  watchEffect(() => {
    const isDark = theme.value === "dark" || (theme.value === "system" && systemIsDark.value);
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    document.documentElement.dataset.density = density.value;
  });
  others.addEventListener("message", () => {
    read();
    void speak(language.value);
  });
  await speak(language.value);
}

const others = new BroadcastChannel(CHANNEL);

function keep(key: string, value: string): void {
  ofBrowser.set(`peakdesk.${key}`, value);
  others.postMessage(key);
}

export function chooseTheme(value: Theme): void {
  theme.value = value;
  keep("theme", value);
}

export function chooseDensity(value: Density): void {
  density.value = value;
  keep("density", value);
}

/** Change every word on the screen at once; the old language stays if the new one cannot be fetched. */
export async function chooseLanguage(value: Language): Promise<void> {
  await speak(value);
  language.value = value;
  keep("language", value);
}
