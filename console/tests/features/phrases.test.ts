import { expect, it } from "vitest";

import type { Hit } from "@/core/types.ts";
import { phrases } from "@/features/composer/phrases.ts";

const hit = (start: number, end: number): Hit => ({ category: "insult", start, end, surface: "" });

it("names what overlaps once, and counts code points as the gate does", () => {
  expect(phrases("你是不是傻逼啊", [hit(4, 6), hit(1, 5)])).toEqual(["是不是傻逼"]);
  expect(phrases("😀滚，快滚", [hit(1, 2), hit(4, 5)])).toEqual(["滚"]);
  expect(phrases("好", [])).toEqual([]);
});
