/** How long is too long. */

import type { Conversation, Levels } from "@/core/types.ts";

/** 0: nothing to say; 1: look; 2: too long; 3: over the limit. */
export type Level = 0 | 1 | 2 | 3;

/** Return the level of a conversation at a time; without known limits nothing is too long. */
export function levelOf(one: Pick<Conversation, "waitingSince" | "isFirst">, now: number, levels: Levels | null): Level {
  if (one.waitingSince === null || levels === null) return 0;
  const [notice, warn, breach] = one.isFirst ? levels.first : levels.later;
  const seconds = (now - one.waitingSince) / 1_000;
  return seconds >= breach ? 3 : seconds >= warn ? 2 : seconds >= notice ? 1 : 0;
}

/** Return whom a reminder is about: who waits too long, or everybody who waits where no limit is known. */
export function overdue(all: readonly Conversation[], now: number, levels: Levels | null): Conversation[] {
  return all.filter((one) => one.waitingSince !== null && (levels === null || levelOf(one, now, levels) >= 2));
}
