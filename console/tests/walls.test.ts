// @vitest-environment node
/** What lint forbids, tried: a rule that matches nothing would be no wall. */

import { ESLint } from "eslint";
import { describe, expect, it } from "vitest";

const eslint = new ESLint({ cwd: process.cwd() });

async function broken(filePath: string, text: string): Promise<(string | null)[]> {
  const [result] = await eslint.lintText(text, { filePath });
  return (result?.messages ?? []).filter((message) => message.severity === 2).map((message) => message.ruleId);
}

const part = (template: string) => `<script setup lang="ts">\nconst x = "";\n</script>\n\n<template>\n  ${template}\n</template>\n`;

describe("lint forbids", { timeout: 30_000 }, () => {
  it.each([
    ["markup of text", "src/features/thread/Bad.vue", part('<p v-html="x" />'), "vue/no-v-html"],
    ["an inline style", "src/features/thread/Bad.vue", part('<p style="color: red">{{ x }}</p>'), "vue/no-restricted-syntax"],
    ["a link that hands over its opener", "src/ui/Bad.vue", part('<a href="/x" target="_blank">{{ x }}</a>'), "vue/no-restricted-syntax"],
    ["words in a template", "src/features/thread/Bad.vue", part("<p>已送达</p>"), "vue/no-bare-strings-in-template"],
    ["innerHTML", "src/core/bad.ts", 'document.body.innerHTML = "";', "no-restricted-syntax"],
    ["eval", "src/core/bad.ts", 'eval("1");', "no-eval"],
    ["a feature that knows another", "src/features/desk/bad.ts", 'import "@/features/thread/entries.ts";', "no-restricted-imports"],
    ["a neighbour by its path", "src/features/desk/bad.ts", 'import "../thread/entries.ts";', "no-restricted-imports"],
    ["a core that knows Vue", "src/core/bad.ts", 'import "vue";', "no-restricted-imports"],
    ["a kit that knows business", "src/ui/bad.ts", 'import "@/core/types.ts";', "no-restricted-imports"],
  ])("%s", async (_what, file, text, rule) => {
    expect(await broken(file, text)).toContain(rule);
  });

  it("nothing that a feature may know", async () => {
    const text = 'import "./own.ts";\nimport "@/core/types.ts";\nimport "@/ui/tones.ts";\n';
    expect(await broken("src/features/desk/good.ts", text)).toEqual([]);
  });
});
