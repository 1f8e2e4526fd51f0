/** What `GET /v1/monitor/figures` answers, as a report reads it. Pure. */

export interface Sums {
  rounds: number;
  roundMs: number;
  unanswered: number;
  within: number;
  sessions: number;
  firstResponses: number;
  firstWithin: number;
}

/** A figure that was asked for by its name; `why` says why it has no value. */
export interface Named {
  value: number | null;
  numerator: number;
  denominator: number;
  /** Else it may be off by one percent. */
  exact: boolean;
  why: string | null;
}

export interface ReportRow extends Sums {
  /** Nothing before the monitor knows names. */
  named: Readonly<Record<string, Named | undefined>>;
  /** Null: the whole shop, or what nobody had. */
  agent: string | null;
  /** Where its part begins; null where the time is not cut. */
  start: number | null;
}

interface Raw {
  agent_id: string | null;
  start: string | null;
  rounds: number;
  round_ms: number;
  unanswered: number;
  within: number;
  sessions: number;
  first_responses: number;
  first_within: number;
  metrics?: Record<string, Named>;
}

export interface Answer {
  within_ms: number;
  first_within_ms: number;
  start: string;
  end: string;
  /** The hours of each day that were asked for. */
  shift?: string | null;
  rows: Raw[];
}

export function rowsOf(answer: Answer): ReportRow[] {
  return answer.rows.map((raw) => ({
    agent: raw.agent_id,
    start: raw.start === null ? null : Date.parse(raw.start),
    rounds: raw.rounds,
    roundMs: raw.round_ms,
    unanswered: raw.unanswered,
    within: raw.within,
    sessions: raw.sessions,
    firstResponses: raw.first_responses,
    firstWithin: raw.first_within,
    named: raw.metrics ?? {},
  }));
}

/** Whether anything counts in a row. */
export function counts(row: Sums): boolean {
  return row.rounds > 0 || row.sessions > 0 || row.unanswered > 0;
}

/** Null where nothing counts, which is not 0. */
export function meanS(row: Sums): number | null {
  return row.rounds === 0 ? null : row.roundMs / row.rounds / 1_000;
}

export function withinShare(row: Sums): number | null {
  return row.rounds === 0 ? null : row.within / row.rounds;
}

export function firstShare(row: Sums): number | null {
  return row.sessions === 0 ? null : row.firstWithin / row.sessions;
}

export interface Bar {
  key: number;
  row: ReportRow;
  mean: number;
  /** Shares of the chart's box. */
  x: number;
  width: number;
  height: number;
}

/** Return a bar for each part in which something counts, at its place in the whole time. */
export function bars(rows: readonly ReportRow[], from: number, to: number, partMs: number): Bar[] {
  const most = Math.max(1, ...rows.map((row) => meanS(row) ?? 0));
  return rows.flatMap((row) => {
    const mean = meanS(row);
    if (mean === null || row.start === null) return [];
    return { key: row.start, row, mean, x: (row.start - from) / (to - from), width: Math.min(1, partMs / (to - from)), height: mean / most };
  });
}
