/** What is known of conversations, folded from frames. Pure: no socket, no time of its own. */

import { compare, itemOf, type Frame } from "./frames.ts";
import type { Conversation, Item, Position } from "./types.ts";

/** Entries that a thread keeps; older ones are in the history. */
const KEPT = 500;

/** An own conversation as the inbox or a snapshot describes it. */
export interface Described {
  id: string;
  buyer?: { id: string; name: string };
  buyer_id?: string;
  agent_id?: string | null;
  state?: string;
  version?: number;
}

export function described(known: Conversation | undefined, facts: Described): Conversation {
  const before = known ?? { id: facts.id, buyer: "", buyerId: "", items: [], waitingSince: null, isFirst: true, readUpTo: null, maySend: null };
  return {
    ...before,
    buyer: facts.buyer?.name ?? before.buyer,
    buyerId: facts.buyer_id ?? facts.buyer?.id ?? before.buyerId,
  };
}

/** Add what was said, in the order of the log and each once, and see who waits since when. */
export function withItems(known: Conversation, frames: readonly Frame[]): Conversation {
  const fresh = frames.map(itemOf).filter((item): item is Item => item !== null);
  const byId = new Map([...known.items, ...fresh].map((item) => [item.id, item]));
  const items = [...byId.values()].sort((a, b) => compare(a.position, b.position)).slice(-KEPT);
  return { ...known, items, ...roundOf(items) };
}

type Round = Pick<Conversation, "waitingSince" | "isFirst">;

/** Only the owner's answer ends the waiting; what a bot, the system or a former owner says does not. */
export function roundOf(items: readonly Item[]): Round {
  return items.reduce(afterItem, { waitingSince: null, isFirst: true });
}

function afterItem(round: Round, item: Item): Round {
  switch (item.type) {
    case "conversation.opened.v1":
    case "conversation.reopened.v1":
      return { ...round, isFirst: true };
    case "conversation.closed.v1":
      return { ...round, waitingSince: null };
    case "chat.message.v1":
      if (item.by === "buyer") return { ...round, waitingSince: round.waitingSince ?? item.at };
      return item.by === "agent" && item.notOwner !== true ? { waitingSince: null, isFirst: false } : round;
    default:
      return round;
  }
}

export function readUpTo(known: Conversation, position: Position): Conversation {
  const later = known.readUpTo === null || compare(position, known.readUpTo) > 0;
  return later ? { ...known, readUpTo: position } : known;
}

/** Tell whether a conversation is still this person's own after a lifecycle event; null: unchanged. */
export function ownership(frame: Frame, me: string): boolean | null {
  const body = frame.d ?? {};
  switch (frame.type) {
    case "conversation.assigned.v1":
      return body.agent_id === me;
    case "conversation.transferred.v1":
      return body.to_agent_id === me;
    case "conversation.queued.v1":
    case "conversation.closed.v1":
      return false;
    default:
      return null;
  }
}
