/** Quick replies: which of them a few letters mean, and what is filled into their words. */

import { initials } from "./pinyin.ts";

export interface Phrase {
  id: string;
  title: string;
  words: string;
  uses: number;
}

export interface PhraseList {
  version: number;
  phrases: readonly Phrase[];
}

/** What a person may take: his own, and the shop's. */
export interface Phrases {
  mine: PhraseList;
  shop: PhraseList;
}

/** What may stand in braces. */
export const VARIABLES = ["买家", "订单号", "承诺时间"] as const;
export type Variable = (typeof VARIABLES)[number];

const VARIABLE = new RegExp(`\\{(${VARIABLES.join("|")})\\}`, "g");

/** Fill in what is known; the rest stays in its braces. A masked name is none that one calls a buyer by. */
export function filled(words: string, values: Partial<Record<Variable, string>>): string {
  return words.replace(VARIABLE, (whole, name: Variable) => (values[name]?.includes("*") ? whole : values[name] || whole));
}

/** Return where the first thing stands that is still to be filled in, null where nothing is. */
export function firstBlank(text: string): readonly [number, number] | null {
  const found = text.matchAll(VARIABLE).next().value;
  return found === undefined ? null : [found.index, found.index + found[0].length];
}

/** Return those that a few letters mean, by title, initials and words: the closest first, else as they are listed. */
export function matching(phrases: readonly Phrase[], wanted: string): Phrase[] {
  const query = wanted.trim().toLowerCase();
  if (query === "") return [...phrases];
  const found = phrases.map((phrase) => ({ phrase, rank: rankOf(phrase, query) })).filter(({ rank }) => rank < NO_MATCH);
  return found.sort((a, b) => a.rank - b.rank).map(({ phrase }) => phrase);
}

const NO_MATCH = 5;

function rankOf({ title, words }: Phrase, query: string): number {
  const name = title.toLowerCase();
  if (name.startsWith(query)) return 0;
  if (initials(title).startsWith(query)) return 1;
  if (name.includes(query)) return 2;
  if (initials(title).includes(query)) return 3;
  return words.toLowerCase().includes(query) ? 4 : NO_MATCH;
}
