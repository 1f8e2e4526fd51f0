/**
 * The buyer's clock: since when he waits, and whether for a first reply. It begins with his first word
 * that nobody answered and ends with an answer of who owns the conversation, or with its close; what a
 * bot, the system or a former owner says ends nothing. Pure.
 */

import type { Conversation, Item } from "./types.ts";

export type Round = Pick<Conversation, "waitingSince" | "isFirst">;

interface Fold extends Round {
  /** Whether what stands before the first item no longer matters. */
  isCertain: boolean;
  /** The newest version by which somebody got, or lost, the conversation. */
  seat: number;
}

/** Events that give a seat or take it. */
const SEATS = ["conversation.assigned.v1", "conversation.transferred.v1", "conversation.queued.v1", "conversation.closed.v1"];

/**
 * Fold items in the order of the log. `before` is since when he was known to wait: it holds as long as
 * nothing among the items ended that.
 */
export function roundOf(items: readonly Item[], before: number | null = null): Round {
  const taken = new Set(items.map((item) => item.told?.about));
  const counted = items.filter((item) => !item.late && !taken.has(item.id));
  const { waitingSince, isFirst, isCertain } = counted.reduce(afterItem, { waitingSince: null, isFirst: true, isCertain: false, seat: 0 });
  // A word that was taken back, because it is answered elsewhere, opened nothing.
  const isBefore = before !== null && !items.some((item) => item.at === before && !counted.includes(item));
  const since = !isCertain && isBefore ? earlier(waitingSince, before) : waitingSince;
  return { waitingSince: since, isFirst };
}

function afterItem(round: Fold, item: Item): Fold {
  const seat = SEATS.includes(item.type) ? Math.max(round.seat, item.told?.version ?? 0) : round.seat;
  switch (item.type) {
    case "conversation.opened.v1":
      return { ...round, isFirst: true, isCertain: true };
    case "conversation.reopened.v1":
      return { ...round, isFirst: true };
    case "conversation.contacted.v1":
      return { ...round, waitingSince: round.waitingSince ?? item.told?.since ?? item.at };
    case "conversation.closed.v1":
      return item.told?.isIdle ? { ...round, seat } : { ...round, seat, waitingSince: null, isCertain: true };
    case "chat.message.v1":
      return afterWord(round, item);
    default:
      return { ...round, seat, ...told(round, item) };
  }
}

/** What an event carries of the clock fills in what came before the first item, and nothing else. */
function told(round: Fold, item: Item): Partial<Fold> {
  const since = item.told?.since;
  return round.isCertain || since === undefined ? {} : { waitingSince: earlier(round.waitingSince, since) };
}

function afterWord(round: Fold, item: Item): Fold {
  if (item.by === "buyer") return { ...round, waitingSince: round.waitingSince ?? item.at };
  const isLost = item.notOwner === true || (item.told?.seat ?? Infinity) < round.seat;
  return item.by !== "agent" || isLost ? round : { ...round, waitingSince: null, isFirst: false, isCertain: true };
}

function earlier(a: number | null, b: number): number {
  return a === null ? b : Math.min(a, b);
}
