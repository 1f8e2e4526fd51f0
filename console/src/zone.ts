/** The shop's clocks: staff read every time as these show it, wherever they sit. */

import { shallowRef } from "vue";

const DAY_MS = 86_400_000;
/** No zone changes its clocks but at a quarter of an hour, so that one answer holds for all of it. */
const QUARTER_MS = 900_000;
const KNOWN = 4_096;

/** Undefined as long as nobody said it: then times are the reader's own. */
export const zone = shallowRef<string>();

let days = new Map<number, number>();
let calendar: Intl.DateTimeFormat | undefined;
let calendarOf: string | undefined;

/** Return the number of the day that it is in the shop; that of the next day is one more. */
export function dayOf(at: number): number {
  if (calendar === undefined || calendarOf !== zone.value || days.size > KNOWN) {
    calendarOf = zone.value;
    calendar = new Intl.DateTimeFormat("en", { year: "numeric", month: "numeric", day: "numeric", timeZone: calendarOf });
    days = new Map();
  }
  const quarter = Math.floor(at / QUARTER_MS);
  const known = days.get(quarter) ?? read(calendar, at);
  days.set(quarter, known);
  return known;
}

/** Return the shop's date of a moment, or of so many days later, as services take it. */
export function dateOf(at: number, later = 0): string {
  return new Date((dayOf(at) + later) * DAY_MS).toISOString().slice(0, 10);
}

/** Return the date before a date. */
export function dayBefore(date: string): string {
  return shifted(date, -1);
}

/** Return the date behind a date. */
export function dayAfter(date: string): string {
  return shifted(date, 1);
}

function shifted(date: string, days: number): string {
  return new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10);
}

/** How a moment is written, as the shop's clocks show it. */
export function inShop(how: Intl.DateTimeFormatOptions): Intl.DateTimeFormatOptions {
  return zone.value === undefined ? how : { ...how, timeZone: zone.value };
}

function read(by: Intl.DateTimeFormat, at: number): number {
  const parts = new Map(by.formatToParts(at).map((part) => [part.type, Number(part.value)]));
  return Date.UTC(parts.get("year") ?? 0, (parts.get("month") ?? 1) - 1, parts.get("day") ?? 1) / DAY_MS;
}
