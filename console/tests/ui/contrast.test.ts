import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

const css = readFileSync("src/ui/tokens.css", "utf8");

type Tokens = Record<string, string>;

/** The colours of one theme, by token. */
function theme(selector: string): Tokens {
  const start = css.indexOf(`${selector} {\n  color-scheme`);
  const block = css.slice(start, css.indexOf("}", start));
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, colour]) => [name, colour]));
}

function luminance(colour: string): number {
  const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = channels.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(tokens: Tokens, front: string, ground: string): number {
  const [light = 0, dark = 0] = [tokens[front], tokens[ground]].map((c) => luminance(c ?? "missing")).sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ["app", "surface", "sunken"];
const TONES = ["ok", "notice", "warn", "breach", "note", "info"];
const TINTED = ["brand-weak", "mine", ...TONES.map((tone) => `${tone}-weak`)];
const PAIRS: [front: string, ground: string, least: number][] = [
  ...[...GROUNDS, ...TINTED].map((ground): [string, string, number] => ["text", ground, 7]),
  ...[...GROUNDS, ...TINTED].map((ground): [string, string, number] => ["text-2", ground, 4.5]),
  ...GROUNDS.map((ground): [string, string, number] => ["text-3", ground, 4.5]),
  ...TONES.map((tone): [string, string, number] => [tone, `${tone}-weak`, 4.5]),
  ...TONES.map((tone): [string, string, number] => [tone, "surface", 4.5]),
  ["brand", "surface", 4.5],
  ["brand", "brand-weak", 4.5],
  ["on-brand", "brand", 4.5],
  ["surface", "breach", 4.5],
  ["surface", "text", 7],
  ["edge", "surface", 3],
  ["edge", "app", 3],
];

describe.each([
  ["light", theme(":root")],
  ["dark", theme('[data-theme="dark"]')],
])("the %s theme", (_name, tokens) => {
  it.each(PAIRS)("shows %s on %s at %d to 1 or more", (front, ground, least) => {
    expect(contrast(tokens, front, ground)).toBeGreaterThanOrEqual(least);
  });
});
