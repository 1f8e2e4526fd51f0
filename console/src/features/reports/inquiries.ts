/** What `GET /v1/monitor/inquiries` answers, as its report reads it. Pure. */

export const INQUIRIES_BY = ["agent", "day"] as const;
export type InquiriesBy = (typeof INQUIRIES_BY)[number];

/** `value` is null where there is nothing to divide by. */
export interface Figure {
  value: number | null;
  numerator: number;
  denominator: number;
  provisional: boolean;
}

export interface InquiriesRow {
  agent_id: string | null;
  day: string | null;
  consulted: number;
  received: number;
  unreceived: number;
  filtered: Readonly<Record<string, number>>;
  reception: Figure;
  answers: Figure;
  slow: Figure;
  delivered: Figure;
  most_at_once: number;
}

export interface InquiriesAnswer {
  by: InquiriesBy | "shop";
  start: string;
  end: string;
  as_of: string | null;
  available_from: string | null;
  rows: readonly InquiriesRow[];
}

export const INQUIRIES = ["consulted", "received", "unreceived", "filtered", "reception", "answers", "most", "slow", "delivered", "utilisation"] as const;
/** Written in percent; the others are counts. */
export const SHARES: ReadonlySet<(typeof INQUIRIES)[number]> = new Set(["reception", "answers", "delivered", "utilisation"] as const);

/** Numbers of a row in the order of `INQUIRIES`; what has no value is no number. */
export function numbersOf(row: InquiriesRow, utilisation: Figure | undefined): number[] {
  const filtered = Object.values(row.filtered).reduce((total, one) => total + one, 0);
  const of = (figure: Figure | undefined) => figure?.value ?? Number.NaN;
  return [row.consulted, row.received, row.unreceived, filtered, of(row.reception), of(row.answers), row.most_at_once, row.slow.numerator, of(row.delivered), of(utilisation)];
}
