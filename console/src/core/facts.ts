/** What `GET /v1/console` says of a shop, as far as a desk uses it. */

import type { Levels } from "./types.ts";

interface Facts {
  shop?: { zone?: string };
  profiles: readonly { name: string; levels: Levels | null }[];
  levels_profile: string | null;
}

/** Return the levels that the shop's lists are coloured by; null if no profile of it has any. */
export function levelsOf(answer: unknown): Levels | null {
  const facts = answer as Facts;
  return facts.profiles.find((one) => one.name === facts.levels_profile)?.levels ?? null;
}

/** Return the zone of the shop's clocks. */
export function zoneOf(answer: unknown): string | null {
  return (answer as Facts).shop?.zone ?? null;
}
