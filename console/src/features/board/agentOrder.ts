/** In which order agents stand. Pure. */

import type { AgentTile } from "@/core/boards.ts";

import { firstShare, meanMs } from "./figures.ts";

export const COLUMNS = ["name", "state", "open", "wait", "breaching", "mean", "first", "unanswered", "wrongs"] as const;
export type Column = (typeof COLUMNS)[number];

export interface Sorting {
  column: Column;
  descending: boolean;
}

/** Who waits longest first: what is to be looked at stands on top. */
const USUAL: Sorting = { column: "wait", descending: true };
const STATES = ["online", "busy", "suspended", "break", "offline"];

/** Read an order as an address carries it: `wait`, or `-wait` for the largest first. */
export function sortingOf(text: unknown): Sorting {
  const [, minus, name] = /^(-?)(\w+)$/.exec(String(text ?? "")) ?? [];
  const column = COLUMNS.find((one) => one === name);
  return column === undefined ? USUAL : { column, descending: minus === "-" };
}

export function sortingText({ column, descending }: Sorting): string {
  return `${descending ? "-" : ""}${column}`;
}

/** Return the order after a press on a column's head: the largest first, again the other way round. */
export function pressed(sorting: Sorting, column: Column): Sorting {
  const isWords = column === "name" || column === "state";
  return sorting.column === column ? { column, descending: !sorting.descending } : { column, descending: !isWords };
}

/** Return agents in order; who has no figure stands last either way. */
export function inOrder(tiles: readonly AgentTile[], sorting: Sorting, profile: string): AgentTile[] {
  const keyed = tiles.map((tile) => ({ tile, key: keyOf(tile, sorting.column, profile) }));
  const sign = sorting.descending ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return a.key === b.key ? byName(a.tile, b.tile) : a.key === null ? 1 : -1;
    const difference = typeof a.key === "string" ? collator.compare(a.key, b.key as string) : a.key - (b.key as number);
    return difference === 0 ? byName(a.tile, b.tile) : sign * difference;
  });
  return keyed.map(({ tile }) => tile);
}

function keyOf(tile: AgentTile, column: Column, profile: string): string | number | null {
  const figures = tile.figures[profile];
  switch (column) {
    case "name":
      return tile.name;
    case "state":
      return STATES.indexOf(tile.state);
    case "open":
      return tile.open;
    case "wait":
      return tile.waitingSince === null ? null : -tile.waitingSince;
    case "breaching":
      return tile.breaching;
    case "mean":
      return meanMs(figures);
    case "first":
      return firstShare(figures);
    case "unanswered":
      return figures?.unanswered ?? null;
    case "wrongs":
      return tile.wrongs;
  }
}

const collator = new Intl.Collator("zh-CN", { numeric: true });

function byName(a: AgentTile, b: AgentTile): number {
  return collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1);
}
