/** Which of ten people of this browser a tab is: the free slots, so that nobody signs out another. */

import { slotOfTab, useSlot } from "@/core/page.ts";
import { ofBrowser } from "@/core/storage.ts";

const SLOTS = 10;
const KEY = "peakdesk.slots";

/** Make this tab another person's: the first slot in which nobody has signed in, else the next one. */
export function takeFreeSlot(): void {
  const used = usedSlots();
  const free = [...Array(SLOTS).keys()].find((slot) => !used.has(slot));
  useSlot(free ?? (slotOfTab() + 1) % SLOTS);
}

/** Remember that somebody has signed in in this tab's slot. */
export function markUsed(): void {
  keep(usedSlots().add(slotOfTab()));
}

/** Give this tab's slot free again, at sign-out. */
export function markFree(): void {
  const used = usedSlots();
  used.delete(slotOfTab());
  keep(used);
}

function usedSlots(): Set<number> {
  const kept = ofBrowser.get(KEY) ?? "";
  return new Set(kept.split(",").filter((word) => /^\d$/.test(word)).map(Number));
}

function keep(used: ReadonlySet<number>): void {
  ofBrowser.set(KEY, [...used].sort().join(","));
}
