/** What a search answers, and where it leads. Pure. */

export interface Hit {
  message_id: string;
  conversation_id: string;
  at: string;
  /** Null for a note that staff alone see. */
  by: string | null;
  sender_id: string;
  excerpt: string;
}

export interface FoundConversation {
  id: string;
  state: string;
  agent_id: string | null;
  buyer: { id: string; name: string };
}

export interface Found {
  items: readonly Hit[];
  conversations: readonly FoundConversation[];
  next_cursor: string | null;
  /** The time was up before everything was looked at. */
  partial: boolean;
  /** What was said later cannot be found yet; null: nobody knows. */
  indexed_through: string | null;
}

/** Part of an excerpt; `isFound` where it is what was looked for. */
export interface Piece {
  text: string;
  isFound: boolean;
}

/** Letters that a search needs at least. */
export const LEAST = 2;

/** Cut an excerpt where the words of a search stand in it, whatever their case. */
export function pieces(excerpt: string, query: string): Piece[] {
  const terms = query.normalize("NFKC").trim().split(/\s+/).filter(Boolean).map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (terms.length === 0) return [{ text: excerpt, isFound: false }];
  return excerpt.split(new RegExp(`(${terms.join("|")})`, "giu")).map((text, at) => ({ text, isFound: at % 2 === 1 })).filter(({ text }) => text !== "");
}

export function pathOf(query: string, cursor: string | null): string {
  const asked = new URLSearchParams({ q: query, ...(cursor === null ? {} : { cursor }) });
  return `/v1/search/messages?${asked}`;
}

/** Whether a role works at the workbench, where conversations open. */
export function mayOpen(role: string | undefined): boolean {
  return role !== undefined && role !== "admin" && role !== "clerk";
}

/** Where a conversation stands on the workbench: one's own, or in a list of others. */
export function placeOf({ id, state, agent_id }: FoundConversation, me: string): { name: string; params: Record<string, string>; query: Record<string, string> } {
  const isOwn = state === "assigned" && agent_id === me;
  const view = state === "closed" ? "closed" : state === "queued" ? "queue" : "team";
  return { name: "desk", params: { conversation: id }, query: isOwn ? {} : { view } };
}
