/** Whose a conversation is, followed along its thread: what a change of it is called. Pure. */

import type { Item } from "@/core/types.ts";

/** Who holds it at a place of the thread, as far as the thread tells; null where nobody does or that is not known. */
export interface Holding {
  agent: string | null;
  /** He took it by his own wish, out of this group. */
  tookFrom: string | null;
}

export const UNKNOWN: Holding = { agent: null, tookFrom: null };

const NAMES: Record<string, string> = {
  "conversation.opened.v1": "opened",
  "conversation.queued.v1": "queued",
  "conversation.assigned.v1": "assigned",
  "conversation.transferred.v1": "transferred",
  "conversation.closed.v1": "closed",
};

/** Return how an event is called in a thread, null for what it says nothing of, and who holds the conversation then. */
export function heldAfter(item: Item, before: Holding): { name: string | null; holding: Holding } {
  const name = NAMES[item.type];
  if (name === undefined) return { name: null, holding: before };
  const handed = item.told?.handed;
  if (handed === undefined) return { name, holding: name === "queued" || name === "closed" ? UNKNOWN : before };
  const { to, by, from, group, isTaken } = handed;
  const holding = { agent: to, tookFrom: isTaken ? group : null };
  if (name === "assigned") {
    // Who has it already is not told again.
    const isNews = to !== before.agent;
    return { name: isNews ? (isTaken ? "picked" : "assigned") : null, holding: isNews ? holding : before };
  }
  if (isTaken) return { name: "taken", holding };
  const isBack = to === null && by === from && before.agent === from && before.tookFrom === group;
  return { name: isBack ? "back" : "transferred", holding };
}
