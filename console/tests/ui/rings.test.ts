// @vitest-environment node
import { globSync, readFileSync } from "node:fs";

import { expect, it } from "vitest";

const files = globSync("src/**/*.{vue,css}");

it("nobody takes the ring of the focus away", () => {
  const bare = files.filter((file) => /outline(-style|-width)?:\s*(none|0)\b/.test(readFileSync(file, "utf8")));

  expect(files.length).toBeGreaterThan(50);
  expect(bare).toEqual([]);
});

it("what is pressed and as wide as its list has the ring inside, for the list cuts off what lies outside", () => {
  const rules = files.flatMap((file) => [...readFileSync(file, "utf8").matchAll(/[^{}]+\{([^{}]*)\}/g)].map(([, rule = ""]) => ({ file, rule })));
  const wide = rules.filter(({ rule }) => /(?<!-)\bwidth: 100%;/.test(rule) && /\bborder: 0;/.test(rule));

  expect(wide.length).toBeGreaterThan(5);
  expect(wide.filter(({ rule }) => !/outline-offset: -2px;/.test(rule)).map(({ file }) => file)).toEqual([]);
});
