/** Who stands where in the list. */

import type { Conversation } from "@/core/types.ts";

/** Waiting first, the longest on top; then answered, the latest on top. */
export function inOrder(all: readonly Conversation[]): Conversation[] {
  return [...all].sort((a, b) => {
    if (a.waitingSince !== null && b.waitingSince !== null) return a.waitingSince - b.waitingSince || byId(a, b);
    if (a.waitingSince !== null || b.waitingSince !== null) return a.waitingSince === null ? 1 : -1;
    return (b.items.at(-1)?.at ?? 0) - (a.items.at(-1)?.at ?? 0) || byId(a, b);
  });
}

export function longestWaiting(all: readonly Conversation[]): Conversation | undefined {
  return inOrder(all.filter((one) => one.waitingSince !== null))[0];
}

/** Keep an order that somebody is pointing at: who left is gone, who is new comes last. */
export function frozen(shown: readonly string[], wanted: readonly string[]): string[] {
  const there = new Set(wanted);
  const before = new Set(shown);
  return [...shown.filter((id) => there.has(id)), ...wanted.filter((id) => !before.has(id))];
}

function byId(a: Conversation, b: Conversation): number {
  return a.id < b.id ? -1 : 1;
}
