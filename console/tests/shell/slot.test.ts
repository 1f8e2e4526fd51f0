import { beforeEach, describe, expect, it, vi } from "vitest";

import { markFree, markUsed, takeFreeSlot } from "@/shell/slot.ts";

const own = vi.hoisted(() => ({ slot: 0 }));
vi.mock("@/core/page.ts", () => ({ slotOfTab: () => own.slot, useSlot: (slot: number) => (own.slot = slot) }));

describe("the slots of a browser", () => {
  beforeEach(() => {
    localStorage.clear();
    own.slot = 0;
  });

  it("give a second person a slot that nobody has signed in to", () => {
    markUsed();
    takeFreeSlot();
    expect(own.slot).toBe(1);
  });

  it("give a slot again after a sign-out", () => {
    markUsed();
    own.slot = 1;
    markUsed();
    own.slot = 0;
    markFree();
    own.slot = 1;
    takeFreeSlot();
    expect(own.slot).toBe(0);
  });

  it("go on to the next one when all ten are taken", () => {
    for (own.slot = 0; own.slot < 10; own.slot += 1) markUsed();
    own.slot = 9;
    takeFreeSlot();
    expect(own.slot).toBe(0);
  });

  it("start anew when what was kept is not understood", () => {
    localStorage.setItem("peakdesk.slots", "x,12,-1");
    takeFreeSlot();
    expect(own.slot).toBe(0);
  });
});
