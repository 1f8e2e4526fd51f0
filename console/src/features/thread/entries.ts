/** Rows of a thread as they are shown: what the log has, then what is on its way. */

import type { Card } from "@/core/cards.ts";
import { compare } from "@/core/frames.ts";
import { conversationOf, isNoteKey } from "@/core/noting.ts";
import type { Conversation, Hit, Item, Pending, SendState, Speaker } from "@/core/types.ts";
import { dayOf } from "@/zone.ts";

import { heldAfter, UNKNOWN } from "./holding.ts";

/** How long the words of one speaker go on as one group. */
const GROUP_MS = 120_000;

/** How far an own message came; `warned`: delivered, and the gate has something to say about it. */
export type Came = SendState | "delivered" | "read";

export interface Entry {
  key: string;
  look: "theirs" | "mine" | "event" | "note";
  mine: boolean;
  by: Speaker;
  /** The colleague who said it, or to whom the conversation goes; null for oneself and for everybody else. */
  who: string | null;
  /** Words, or the name of what happened. */
  text: string;
  /** The address of a picture. */
  image?: string | undefined;
  /** A card of a known kind, under which id it is in the log, and whether its buyer pressed something on it. */
  card?: { said: Card; id: string; isPressed: boolean };
  /** What who handed the conversation on wanted known; staff alone see it. */
  note: string;
  /** Of a note: who wrote it, and whom it is meant for. */
  noted?: { author: string; to: "me" | "other" | null };
  at: number;
  state: Came | null;
  /** What the gate found in it and let pass. */
  warned: readonly Hit[];
  /** Under which id it is in the log, where something was found in it. */
  message?: string;
}

/** An entry with what stands around it. */
export interface Row extends Entry {
  /** The day begins here, and is said above. */
  isDay: boolean;
  /** Above it everything was seen. */
  isNew: boolean;
  /** Where that begins which a number counts. */
  isPlace: boolean;
  /** The first of a group says who speaks; the last, or one that differs, how far it came, and each that failed, for it has buttons. */
  begins: boolean;
  ends: boolean;
}

/** What is shown beside the log itself. */
export interface Beside {
  outbox: readonly Pending[];
  me: string;
  /** By client id. */
  warned: Readonly<Record<string, readonly Hit[]>>;
  /** The first that was not seen when the thread was opened. */
  newFrom: string | null;
  /** The moment that somebody wants to see. */
  place?: number | null;
}

export function rows(conversation: Conversation, beside: Beside): Row[] {
  const all = entries(conversation, beside);
  const place = placeOf(all, beside.place ?? null, conversation.older === "none");
  return all.map((one, index) => {
    const [before, behind] = [all[index - 1], all[index + 1]];
    return {
      ...one,
      // What stands before the first is not known while there is more of it, and a day must not be said twice.
      isDay: before === undefined ? conversation.older === "none" : dayOf(before.at) !== dayOf(one.at),
      isNew: one.key === beside.newFrom,
      isPlace: index === place,
      begins: before === undefined || !goesOn(before, one) || one.key === beside.newFrom,
      ends: behind === undefined || !goesOn(one, behind) || behind.state !== one.state || one.state === "failed" || one.warned.length > 0,
    };
  });
}

/** Return the entry of a moment, or the first one behind it; -1 where that stands before what is known. */
function placeOf(all: readonly Entry[], at: number | null, isWhole: boolean): number {
  if (at === null) return -1;
  const found = all.findIndex((one) => one.at >= at);
  return found === 0 && !isWhole && all[0]?.at !== at ? -1 : found;
}

function entries(conversation: Conversation, { outbox, me, warned }: Beside): Entry[] {
  let holding = UNKNOWN;
  const logged = conversation.items.flatMap((item) => {
    const after = heldAfter(item, holding);
    holding = after.holding;
    return (after.name === null ? entry(item, conversation, me, warned) : eventEntry(item, after.name, me)) ?? [];
  });
  const known = new Set(conversation.items.map((item) => item.clientId));
  const waiting = outbox.filter((one) => conversationOf(one.conversation) === conversation.id && !known.has(one.id));
  const answered = new Set(conversation.items.map((item) => item.card?.answers));
  const told = logged.map((one) => (one.card && answered.has(one.card.id) ? { ...one, card: { ...one.card, isPressed: true } } : one));
  return [...told, ...waiting.map(pendingEntry)];
}

function goesOn(one: Entry, next: Entry): boolean {
  const sameSpeaker = one.look !== "event" && one.look === next.look && one.by === next.by && one.who === next.who && one.mine === next.mine;
  const sameNote = one.noted?.author === next.noted?.author && one.noted?.to === next.noted?.to;
  return sameSpeaker && sameNote && next.at - one.at < GROUP_MS && dayOf(one.at) === dayOf(next.at);
}

function eventEntry(item: Item, name: string, me: string): Entry {
  const to = item.told?.handed?.to ?? null;
  return { key: item.id, at: item.at, look: "event", mine: false, by: "system", who: to === me ? null : to, text: name, note: item.text, warned: [], state: null };
}

function entry(item: Item, conversation: Conversation, me: string, warned: Beside["warned"]): Entry | null {
  const who = item.by === "agent" && item.senderId !== me ? item.senderId : null;
  const common = { key: item.id, by: item.by, who, at: item.at, text: item.text, image: item.image, note: "", warned: [], ...(item.card ? { card: { said: item.card, id: item.id, isPressed: false } } : {}) };
  const mine = item.senderId === me;
  if (item.note !== undefined) return noteEntry(item, item.note, me);
  if (item.type !== "chat.message.v1") return null;
  const read = conversation.readUpTo !== null && compare(item.position, conversation.readUpTo) <= 0;
  const state = mine ? (read ? "read" : "delivered") : null;
  const look = item.by === "buyer" ? "theirs" : "mine";
  // What is on its way and what then stands in the log is one row, so that it does not blink.
  const key = mine && item.clientId !== null ? item.clientId : item.id;
  const found = mine ? warned[item.clientId ?? ""] : undefined;
  return { ...common, key, look, mine, state, ...(found === undefined ? {} : { warned: found, message: item.id }) };
}

/** What staff alone see; a note's own say nothing of how far it came once it is there. */
function noteEntry(item: Item, { author, to }: NonNullable<Item["note"]>, me: string): Entry {
  const mine = item.senderId === me;
  const key = mine && item.clientId !== null ? item.clientId : item.id;
  const noted = { author: mine ? "" : author, to: to === null ? null : to === me ? ("me" as const) : ("other" as const) };
  return { key, look: "note", mine, by: "agent", who: null, at: item.at, text: item.text, note: "", noted, warned: [], state: null };
}

function pendingEntry(one: Pending): Entry {
  const isNote = isNoteKey(one.conversation);
  const noted = isNote ? { noted: { author: "", to: one.to ? ("other" as const) : null } } : {};
  return { key: one.id, look: isNote ? "note" : "mine", ...noted, mine: true, by: "agent", who: null, text: one.text, image: one.image, note: "", at: one.firstTriedAt, state: one.state, warned: [], ...(one.card ? { card: { said: one.card, id: "", isPressed: false } } : {}) };
}
