/**
 * Notes beside what is said to buyers. What is written as a note stands under a key of its own, in the
 * composer, in what is on its way and in the browser's database, so that nothing makes it a message:
 * neither a seat that comes or goes, nor a page of before, to which the key names no stream.
 */

import type { Pending } from "./types.ts";

export const NOTE = "chat.note.v1";
const MARK = "~note";

/** Return the key of what is noted beside a conversation. */
export function noteKey(conversation: string): string {
  return conversation + MARK;
}

export function isNoteKey(key: string): boolean {
  return key.endsWith(MARK);
}

/** Return the conversation that a key is about, whether it is a note's or a message's. */
export function conversationOf(key: string): string {
  return isNoteKey(key) ? key.slice(0, -MARK.length) : key;
}

/** Return what a `send` says: a note's words and whom they are meant for, or a message's. */
export function bodyOf({ conversation, text, to, image, card }: Pending): { kind: string; d: object } {
  if (card !== undefined) return { kind: "card", d: card };
  if (image !== undefined) return { kind: "image", d: { url: image } };
  if (!isNoteKey(conversation)) return { kind: "text", d: { text } };
  return { kind: "note", d: { text, ...(to ? { to } : {}) } };
}

/** Tell whether something of a conversation is on its way, of either kind. */
export function isOnItsWay(outbox: readonly Pending[], conversation: string): boolean {
  return outbox.some((one) => conversationOf(one.conversation) === conversation);
}
