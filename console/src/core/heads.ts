/**
 * The head of a conversation, as an inbox tells it: last words, since when its buyer waits, and what is
 * new to its owner. Pure.
 */

import { compare, momentOf, type Frame } from "./frames.ts";
import { NOTE } from "./noting.ts";
import type { Conversation, Item, Last, Position, Speaker } from "./types.ts";

export interface Head {
  last: Last | null;
  waitingSince: number | null;
  /** Null where nobody waits: then nothing is said of it. */
  isFirst: boolean | null;
  unread: number;
  readUpTo: Position | null;
}

interface Told {
  head?: { position: Position; by: Speaker; kind?: string; preview: string; at: string } | null;
  round?: { opened_at: string; first: boolean } | null;
  unread?: number | null;
  read_up_to?: Position | null;
}

/** Return what a row, or a patch of one, says; null: a platform of before, which tells no heads. */
export function headIn(row: Frame["d"] | Told): Head | null {
  const { head, round, unread, read_up_to: readUpTo } = (row ?? {}) as Told;
  if (typeof unread !== "number") return null;
  return {
    last: head ? { position: head.position, at: Date.parse(head.at), by: head.by, text: head.preview, ...(head.kind === "note" ? { isNote: true } : {}) } : null,
    waitingSince: round ? momentOf(round.opened_at) : null,
    isFirst: round ? round.first : null,
    unread,
    readUpTo: readUpTo ?? null,
  };
}

/**
 * Take a head over, unless what is shown is newer. Where the thread is there, it says more, and says it
 * first: then a head is taken only if it has words that the thread has not yet.
 */
export function withHead(known: Conversation, head: Head): Conversation {
  const shown = known.last ?? null;
  const since = shown === null ? 1 : head.last === null ? -1 : compare(head.last.position, shown.position);
  if (since < 0 || (since === 0 && known.items.length > 0)) return known;
  const { last, waitingSince, isFirst, unread } = head;
  return { ...known, last, waitingSince, isFirst: isFirst ?? known.isFirst, ...(known.items.length > 0 ? {} : { unread }) };
}

/** Return the last words among items, or those that were known where nothing is said in them. */
export function lastOf(items: readonly Item[], known: Last | null): Last | null {
  const said = items.findLast((item) => item.type === "chat.message.v1" || item.type === NOTE);
  if (said === undefined || (known !== null && compare(known.position, said.position) > 0)) return known;
  return { position: said.position, at: said.at, by: said.by, text: said.text, ...(said.type === NOTE ? { isNote: true } : {}) };
}
