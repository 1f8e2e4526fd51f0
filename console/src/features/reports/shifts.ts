/** A shift of some days, as a report shows it. Pure. */

import { dayAfter } from "@/zone.ts";

import type { ReportRow } from "./report.ts";

/** Hours and minutes on the shop's wall. */
export interface Hours {
  begin: string;
  end: string;
}

export const USUAL: Hours = { begin: "08:30", end: "16:00" };

/** Read an hour and minute as an address carries them. */
export function hourOf(text: string): string | null {
  return /^([01]\d|2[0-3]):[0-5]\d$/.test(text) ? text : null;
}

/** From when to when the shift of a date is, as services take it: one that ends before it begins ends on the next day. */
export function stretchOf(date: string, { begin, end }: Hours): { from: string; to: string } {
  return { from: `${date}T${begin}`, to: `${end <= begin ? dayAfter(date) : date}T${end}` };
}

/** Add rows up by where their parts begin. */
export function byStart(rows: readonly ReportRow[]): ReportRow[] {
  const found = new Map<number | null, ReportRow>();
  for (const row of rows) found.set(row.start, added(found.get(row.start), row));
  return [...found.values()];
}

/** Add all rows up; null where there are none. */
export function whole(rows: readonly ReportRow[]): ReportRow | null {
  return rows.reduce<ReportRow | null>((total, row) => added(total ?? undefined, row), null);
}

function added(total: ReportRow | undefined, row: ReportRow): ReportRow {
  return {
    agent: null,
    start: row.start,
    rounds: (total?.rounds ?? 0) + row.rounds,
    roundMs: (total?.roundMs ?? 0) + row.roundMs,
    unanswered: (total?.unanswered ?? 0) + row.unanswered,
    within: (total?.within ?? 0) + row.within,
    sessions: (total?.sessions ?? 0) + row.sessions,
    firstResponses: (total?.firstResponses ?? 0) + row.firstResponses,
    firstWithin: (total?.firstWithin ?? 0) + row.firstWithin,
    named: {},
  };
}
