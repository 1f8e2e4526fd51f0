import { expect, it } from "vitest";

import type { Hit } from "@/core/types.ts";
import { phrases, pieces } from "@/words.ts";

const hit = (start: number, end: number): Hit => ({ category: "insult", start, end, surface: "" });

it("names what overlaps once, and counts code points as the gate does", () => {
  expect(phrases("你是不是傻逼啊", [hit(4, 6), hit(1, 5)])).toEqual(["是不是傻逼"]);
  expect(phrases("😀滚，快滚", [hit(1, 2), hit(4, 5)])).toEqual(["滚"]);
  expect(phrases("好", [])).toEqual([]);
});

it("cuts a text where findings begin and end, and loses nothing of it", () => {
  const cut = pieces("😀滚，快滚吧", [hit(1, 2), hit(4, 5)]);

  expect(cut.filter((piece) => piece.isFound).map((piece) => piece.text)).toEqual(["滚", "滚"]);
  expect(cut.map((piece) => piece.text).join("")).toBe("😀滚，快滚吧");
  expect(pieces("", [])).toEqual([]);
});
