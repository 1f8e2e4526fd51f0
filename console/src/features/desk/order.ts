/** Who stands where in the list. */

import type { Conversation, State } from "@/core/types.ts";

/** The list's two parts, as ids: who waits, the longest on top, then who was answered, the latest on top. */
export interface Order {
  waiting: readonly string[];
  answered: readonly string[];
}

/** Waiting first, the longest on top; then answered, the latest on top. */
export function inOrder(all: readonly Conversation[]): Conversation[] {
  return [...all].sort((a, b) => {
    if (a.waitingSince !== null && b.waitingSince !== null) return a.waitingSince - b.waitingSince || byId(a, b);
    if (a.waitingSince !== null || b.waitingSince !== null) return a.waitingSince === null ? 1 : -1;
    return saidAt(b) - saidAt(a) || byId(a, b);
  });
}

export function orderOf(all: readonly Conversation[]): Order {
  const rows = inOrder(all);
  const ids = (wanted: boolean) => rows.filter((one) => (one.waitingSince !== null) === wanted).map((one) => one.id);
  return { waiting: ids(true), answered: ids(false) };
}

export function longestWaiting(all: readonly Conversation[]): Conversation | undefined {
  return inOrder(all.filter((one) => one.waitingSince !== null))[0];
}

/** Who was just answered waits until his answer has come back: he is not who is to be answered next. */
export function nextToAnswer(all: readonly Conversation[], outbox: State["outbox"]): Conversation | undefined {
  const answered = new Set(outbox.filter((one) => one.state !== "failed").map((one) => one.conversation));
  return longestWaiting(all.filter((one) => !answered.has(one.id))) ?? longestWaiting(all);
}

/** Keep an order that somebody is pointing at: who left is gone, who is new comes last in his part. */
export function frozen(shown: Order, wanted: Order): Order {
  const there = new Set([...wanted.waiting, ...wanted.answered]);
  const before = new Set([...shown.waiting, ...shown.answered]);
  const part = (name: keyof Order) => [...shown[name].filter((id) => there.has(id)), ...wanted[name].filter((id) => !before.has(id))];
  return { waiting: part("waiting"), answered: part("answered") };
}

/** When something was said last, or happened where nobody said anything yet. */
function saidAt(one: Conversation): number {
  return one.last?.at ?? one.items.at(-1)?.at ?? 0;
}

function byId(a: Conversation, b: Conversation): number {
  return a.id < b.id ? -1 : 1;
}
