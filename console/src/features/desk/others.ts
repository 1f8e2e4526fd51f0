/** Conversations that are not one's own, as the platform lists them. Pure. */

import { momentOf } from "@/core/frames.ts";

/** What the desk can list beside one's own. */
export const VIEWS = ["queue", "team", "closed"] as const;
export type View = (typeof VIEWS)[number];

/** One row of such a list. */
export interface Other {
  id: string;
  buyer: string;
  buyerId: string;
  /** Who has it; null where nobody has. */
  agent: string | null;
  /** The buyer's first word that nobody answered. */
  waitingSince: number | null;
  /** When it was opened, or in the list of what is over when it was closed. */
  at: number | null;
  isOver: boolean;
  /** The last words on one line; empty for an image or a card, null where nobody said anything. */
  words: string | null;
  by: string;
  /** By which it is taken. */
  version: number;
}

/** Rows of a page. */
export const PAGE = 50;

/** The address of a page; `cursor` is what the page before said. */
export function pathOf(view: View, cursor: string | null): string {
  const from = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
  return `/v1/conversations?view=${view}&limit=${PAGE}${from}`;
}

interface Listed {
  id: string;
  buyer: { id: string; name: string };
  agent_id: string | null;
  opened_at: string;
  closed_at: string | null;
  waiting_since: string | null;
  version: number;
  /** Absent from an older platform. */
  head?: { by: string; kind?: string; preview: string } | null;
}

export interface Page {
  items: readonly Listed[];
  next_cursor: string | null;
}

/** Return rows as they are shown, without those that stand in one's own list. */
export function rowsOf(view: View, items: readonly Listed[], me: string): Other[] {
  const theirs = items.filter((one) => view !== "team" || one.agent_id !== me);
  return theirs.map((one) => ({
    id: one.id,
    buyer: one.buyer.name,
    buyerId: one.buyer.id,
    agent: one.agent_id,
    waitingSince: view === "closed" ? null : momentOf(one.waiting_since),
    at: momentOf(view === "closed" ? one.closed_at : one.opened_at),
    isOver: view === "closed",
    words: one.head?.preview ?? null,
    by: one.head?.kind === "note" ? "note" : (one.head?.by ?? ""),
    version: one.version,
  }));
}
