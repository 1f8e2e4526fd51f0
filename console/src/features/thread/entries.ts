/** Entries of a thread as they are shown: what the log has, then what is on its way. */

import { compare } from "@/core/frames.ts";
import type { Conversation, Item, Pending, SendState, Speaker } from "@/core/types.ts";

export interface Entry {
  key: string;
  look: "theirs" | "mine" | "event";
  mine: boolean;
  by: Speaker;
  /** Words, or the name of what happened. */
  text: string;
  /** What who handed the conversation on wanted known; staff alone see it. */
  note: string;
  at: number;
  state: SendState | "delivered" | "read" | null;
}

/** Events that are told in a thread; of others it says nothing. */
const EVENTS: Record<string, string> = {
  "conversation.opened.v1": "opened",
  "conversation.queued.v1": "queued",
  "conversation.assigned.v1": "assigned",
  "conversation.transferred.v1": "transferred",
  "conversation.closed.v1": "closed",
};

export function entries(conversation: Conversation, outbox: readonly Pending[], me: string): Entry[] {
  const logged = conversation.items.flatMap((item) => entry(item, conversation, me) ?? []);
  const known = new Set(conversation.items.map((item) => item.clientId));
  const waiting = outbox.filter((one) => one.conversation === conversation.id && !known.has(one.id));
  return [...logged, ...waiting.map(pendingEntry)];
}

function entry(item: Item, conversation: Conversation, me: string): Entry | null {
  const event = EVENTS[item.type];
  if (event !== undefined) return { key: item.id, look: "event", mine: false, by: "system", text: event, note: item.text, at: item.at, state: null };
  if (item.type !== "chat.message.v1") return null;
  const mine = item.senderId === me;
  const read = conversation.readUpTo !== null && compare(item.position, conversation.readUpTo) <= 0;
  const state = mine ? (read ? "read" : "delivered") : null;
  const look = item.by === "buyer" ? "theirs" : "mine";
  return { key: item.id, look, mine, by: item.by, text: item.text, note: "", at: item.at, state };
}

function pendingEntry(one: Pending): Entry {
  return { key: one.id, look: "mine", mine: true, by: "agent", text: one.text, note: "", at: one.firstTriedAt, state: one.state };
}
