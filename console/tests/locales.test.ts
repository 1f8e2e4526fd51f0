import { describe, expect, it } from "vitest";

import { english } from "@/locales/english.ts";
import { i18n } from "@/locales/i18n.ts";
import "@/locales/later.ts";
import "@/locales/pictures.ts";
import type { Catalogue } from "@/locales/merged.ts";

const sources = import.meta.glob<string>("../src/**/*.{vue,ts}", { eager: true, query: "?raw", import: "default" });

const isWords = (value: unknown): value is Catalogue =>
  typeof value === "object" && value !== null && !("type" in value) && !("t" in value);

function keys(words: Catalogue, before = ""): string[] {
  return Object.entries(words).flatMap(([key, value]) =>
    isWords(value) ? keys(value, `${before}${key}.`) : [`${before}${key}`],
  );
}

const chinese = i18n.global.getLocaleMessage("zh-CN") as Catalogue;

describe("the words of both languages", () => {
  it("have the same keys", () => {
    expect(keys(english).sort()).toEqual(keys(chinese).sort());
  });

  it("are there for every key that the code names", () => {
    const known = new Set(keys(chinese));
    const named = Object.entries(sources).flatMap(([file, text]) =>
      [...text.matchAll(/\bt\(\s*"([\w.]+)"/g)].map((match) => `${file}: ${match[1]}`),
    );
    expect(named.filter((line) => !known.has(line.split(": ")[1] ?? ""))).toEqual([]);
  });
});
