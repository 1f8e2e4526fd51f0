/** What is known of conversations, folded from frames. Pure: no socket, no time of its own. */

import { compare, itemOf, momentOf, type Frame } from "./frames.ts";
import { headIn, lastOf, withHead } from "./heads.ts";
import { NOTE } from "./noting.ts";
import { roundOf } from "./rounds.ts";
import { standingAfter, standingIn } from "./standing.ts";
import type { Conversation, Item, Left, Position } from "./types.ts";

/** Entries that a thread keeps while nobody asks for older ones. */
export const KEPT = 500;
/** Entries that it keeps where somebody did. */
export const KEPT_OLDER = 3_000;
/** Entries of the longest snapshot. */
const SNAPSHOT = 500;

/** An own conversation as the inbox or a snapshot describes it. */
export interface Described {
  id: string;
  buyer?: { id: string; name: string };
  buyer_id?: string;
  agent_id?: string | null;
  state?: string;
  mode?: "routed" | "taken" | null;
  version?: number;
  opened_at?: string;
  waiting_since?: string | null;
  unread?: number | null;
}

const NOTHING: Omit<Conversation, "id"> = {
  buyer: "",
  buyerId: "",
  items: [],
  last: null,
  waitingSince: null,
  isFirst: true,
  readUpTo: null,
  maySend: null,
  unread: 0,
  firstUnread: null,
  older: "none",
};

export function described(known: Conversation | undefined, facts: Described): Conversation {
  const before = known ?? { ...NOTHING, id: facts.id, waitingSince: momentOf(facts.waiting_since) };
  const now = {
    ...before,
    buyer: facts.buyer?.name ?? before.buyer,
    buyerId: facts.buyer_id ?? facts.buyer?.id ?? before.buyerId,
    standing: standingIn(before.standing, facts),
  };
  const head = headIn(facts);
  return head === null ? now : withHead(now, head);
}

/** Add what was said, in the order of the log and each once, and see who waits since when. */
export function withItems(known: Conversation, frames: readonly Frame[]): Conversation {
  const roomier = known.items.length > KEPT ? Math.max(KEPT_OLDER, known.items.length) : KEPT;
  const all = merged(known, frames);
  const items = all.slice(-roomier);
  const standing = standingAfter(known.standing, frames);
  const isCut = items.length < all.length ? { older: "more" as const } : {};
  return { ...known, items, standing, last: lastOf(items, known.last), ...roundOf(items, known.waitingSince), ...isCut };
}

/** Put a page of what was said before in front, however long the thread becomes. */
export function withOlder(known: Conversation, frames: readonly Frame[]): Conversation {
  const items = merged(known, frames);
  return { ...known, items, ...roundOf(items, known.waitingSince) };
}

/**
 * Take a snapshot over. What was known before stays only if the snapshot reaches back to it: a thread
 * with a hole in it would look whole.
 */
export function withSnapshot(known: Conversation, facts: Described | undefined, frames: readonly Frame[]): Conversation {
  const first = frames[0]?.position;
  const last = known.items.at(-1)?.position;
  const isJoined = first === undefined || last === undefined || compare(first, last) <= 0;
  const base = isJoined ? known : { ...known, items: [], waitingSince: momentOf(facts?.waiting_since) };
  const next = withItems(facts === undefined ? base : described(base, facts), frames);
  const isNew = base.items.length === 0;
  return isNew && next.older !== "loading" ? { ...next, older: isWhole(next.items, frames.length) ? "none" : "more" } : next;
}

/** Words may stand before `opened`; a snapshot that is as long as one can be says nothing of them. */
function isWhole(items: readonly Item[], told: number): boolean {
  return told < SNAPSHOT && (items.length === 0 || items.some((item) => item.type === "conversation.opened.v1"));
}

function merged(known: Conversation, frames: readonly Frame[]): Item[] {
  const fresh = frames.map(itemOf).filter((item): item is Item => item !== null);
  const byId = new Map([...known.items, ...fresh].map((item) => [item.id, item]));
  return [...byId.values()].sort((a, b) => compare(a.position, b.position));
}

/**
 * Count the buyer's words, and others' notes, behind what was seen: up to `mark`, and up to one's own last word. Where
 * neither is known, what staff answered counts as seen.
 */
export function unreadOf(items: readonly Item[], mark: Position | null, me: string): Pick<Conversation, "unread" | "firstUnread"> {
  const isSaid = (item: Item) => item.type === "chat.message.v1";
  const own = items.findLast((item) => isSaid(item) && item.senderId === me)?.position ?? null;
  const answer = items.findLast((item) => isSaid(item) && item.by === "agent")?.position ?? null;
  const seen = mark === null ? (own ?? answer) : own !== null && compare(own, mark) > 0 ? own : mark;
  const isNews = (item: Item) => (item.type === NOTE ? item.senderId !== me : isSaid(item) && item.by === "buyer" && !item.late);
  const fresh = items.filter((item) => isNews(item) && (seen === null || compare(item.position, seen) > 0));
  return { unread: fresh.length, firstUnread: fresh[0]?.id ?? null };
}

/** Let go of what was said: a list goes on by its heads. */
export function atRest(known: Conversation): Conversation {
  return { ...known, items: [], maySend: null, older: "none", firstUnread: null };
}

export function readUpTo(known: Conversation, position: Position | null): Conversation {
  const later = position !== null && (known.readUpTo === null || compare(position, known.readUpTo) > 0);
  return later ? { ...known, readUpTo: position } : known;
}

/** Whose a conversation is after a lifecycle event that says so, and what became of it if nobody's here. */
export type Change = { mine: true } | Gone;

/** How it ceased to be one's own. */
export type Gone = { mine: false } & Pick<Left, "reason" | "toAgent" | "toGroup" | "by">;

/** Tell whether a conversation is still this person's own after a lifecycle event; null: unchanged. */
export function ownership(frame: Frame, me: string): Change | null {
  const body = frame.d ?? {};
  const [by, toGroup] = [idIn(body.by), idIn(body.to_skill_group_id ?? body.skill_group_id)];
  switch (frame.type) {
    case "conversation.assigned.v1":
      return given("assigned", idIn(body.agent_id), { by, toGroup: null }, me);
    case "conversation.transferred.v1":
      return given(by !== null && by === body.to_agent_id ? "taken" : "transferred", idIn(body.to_agent_id), { by, toGroup }, me);
    case "conversation.queued.v1":
      return { mine: false, reason: "queued", toAgent: null, toGroup, by };
    case "conversation.closed.v1":
      return { mine: false, reason: "closed", toAgent: null, toGroup: null, by };
    default:
      return null;
  }
}

function given(reason: Left["reason"], toAgent: string | null, rest: Pick<Left, "toGroup" | "by">, me: string): Change {
  return toAgent === me ? { mine: true } : { mine: false, reason, toAgent, ...rest };
}

function idIn(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
