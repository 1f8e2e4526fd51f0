/** Lines of a buyer's chat as they are shown: what was said, then what is on its way. */

import type { Card } from "@/core/cards.ts";
import { compare } from "@/core/frames.ts";
import type { Item, SendState } from "@/core/types.ts";
import type { Visited } from "@/core/visit.ts";

export interface Line {
  key: string;
  look: "theirs" | "mine" | "event";
  /** Words, or the name of what happened. */
  text: string;
  /** The address of a picture. */
  image?: string | undefined;
  /** A card of a known kind, the message that it is, and whether something was pressed on it. */
  card?: { said: Card; message: string; isPressed: boolean };
  at: number;
  /** Shown below it: of what arrived only the last one's, of a run only the end's time. */
  state: SendState | "delivered" | "read" | null;
  ends: boolean;
}

const RUN_MS = 120_000;
const EVENTS: Record<string, string> = {
  "conversation.assigned.v1": "assigned",
  "conversation.transferred.v1": "transferred",
  "conversation.closed.v1": "closed",
};

export function lines(visited: Pick<Visited, "conversation" | "earlier" | "outbox">): Line[] {
  const { conversation, earlier, outbox } = visited;
  const items = [...earlier, ...(conversation?.items ?? [])];
  const known = new Set(items.map((item) => item.clientId));
  const readUpTo = conversation?.readUpTo ?? null;
  const said = items.flatMap((item) => line(item, readUpTo !== null && compare(item.position, readUpTo) <= 0) ?? []);
  const waiting = outbox.filter((one) => !known.has(one.id));
  const pending = waiting.map((one): Line => ({ key: one.id, look: "mine", text: one.text, image: one.image, at: one.firstTriedAt, state: one.state, ends: true }));
  const answered = new Set([...items.map((item) => item.card?.answers), ...outbox.map((one) => one.card?.answers)]);
  const all = [...said.map((one) => (one.card && answered.has(one.card.message) ? { ...one, card: { ...one.card, isPressed: true } } : one)), ...pending];
  const lastArrived = said.findLast((one) => one.look === "mine")?.key;
  return all.map((one, index) => ({
    ...one,
    state: arrived(one) && one.key !== lastArrived ? null : one.state,
    ends: endsRun(one, all[index + 1]),
  }));
}

function line(item: Item, isRead: boolean): Line | null {
  const event = EVENTS[item.type];
  if (event !== undefined) return { key: item.id, look: "event", text: event, at: item.at, state: null, ends: true };
  if (item.type !== "chat.message.v1") return null;
  const mine = item.by === "buyer";
  return { key: item.id, look: mine ? "mine" : "theirs", text: item.text, image: item.image, ...(item.card && !mine ? { card: { said: item.card, message: item.id, isPressed: false } } : {}), at: item.at, state: mine ? (isRead ? "read" : "delivered") : null, ends: true };
}

function arrived(one: Line): boolean {
  return one.state === "delivered" || one.state === "read";
}

function endsRun(one: Line, next: Line | undefined): boolean {
  return next === undefined || next.look !== one.look || next.at - one.at > RUN_MS || (one.state !== null && !arrived(one));
}
