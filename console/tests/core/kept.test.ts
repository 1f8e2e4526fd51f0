import { describe, expect, it } from "vitest";

import { kept } from "@/core/kept.ts";

/** By hand: what `structuredClone` answers here belongs to Node's own realm, so nothing of it is equal. */
function copied<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copied) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copied(one)])) as T;
}

const BEFORE = {
  c1: { id: "c1", round: { openedAt: 5, first: true }, items: [{ id: "m1", position: [1, 1] }, { id: "m2", position: [1, 2] }], draft: undefined },
  c2: { id: "c2", round: null, items: [], draft: "在吗" },
};

describe("what is kept of a copy", () => {
  it("is all of it where nothing differs", () => {
    expect(kept(BEFORE, copied(BEFORE))).toBe(BEFORE);
  });

  it("is every part that is equal, and what differs is new", () => {
    const told = copied(BEFORE);
    told.c1.items.push({ id: "m3", position: [1, 3] });

    const now = kept(BEFORE, told);

    expect(now).toEqual({ ...BEFORE, c1: { ...BEFORE.c1, items: [...BEFORE.c1.items, { id: "m3", position: [1, 3] }] } });
    expect(now).not.toBe(BEFORE);
    expect(now.c1).not.toBe(BEFORE.c1);
    expect(now.c1.round).toBe(BEFORE.c1.round);
    expect(now.c1.items[1]).toBe(BEFORE.c1.items[1]);
    expect(now.c2).toBe(BEFORE.c2);
    expect(BEFORE.c1.items).toHaveLength(2);
  });

  it.each([
    ["a part that is gone", { a: 1, b: 2 }, { a: 1 }],
    ["a part that is new", { a: 1 }, { a: 1, b: undefined }],
    ["another name for nothing", { a: undefined }, { b: undefined }],
    ["a shorter list", [1, 2], [1]],
    ["another order", [1, 2], [2, 1]],
    ["null for an object", { a: {} }, { a: null }],
    ["a list for an object", { a: [] }, { a: {} }],
  ])("is no equal of %s", (_, before: unknown, now: unknown) => {
    const found = kept(before, copied(now));

    expect(found).toEqual(now);
    expect(found).not.toBe(before);
    expect(Object.keys(found as object)).toEqual(Object.keys(now as object));
  });
});
