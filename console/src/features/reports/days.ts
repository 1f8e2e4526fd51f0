/** What the reports of waiting, of wording and of hours answer, as a table shows it. Pure. */

export const REPORTS = ["response", "shifts", "inquiries", "hours", "waits", "wording", "reception"] as const;
export const WORDING_BY = ["category", "agent", "day"] as const;
export type WordingBy = (typeof WORDING_BY)[number];

export interface WaitsAnswer {
  start: string;
  end: string;
  bucket: "hour" | "day";
  rows: readonly { start: string; began: number; ended: number; most: number; waited_minutes: number }[];
}

export interface WordingSums {
  blocked: number;
  asked: number;
  meant: number;
  flags_agent: number;
  flags_buyer: number;
}

export interface WordingAnswer {
  start: string;
  end: string;
  by: WordingBy;
  whole: WordingSums;
  rows: readonly (WordingSums & { category: string | null; agent_id: string | null; start: string | null })[];
}

export const HOURS_BY = ["agent", "day"] as const;
export type HoursBy = (typeof HOURS_BY)[number];

export interface HoursAnswer {
  start: string;
  end: string;
  as_of: string | null;
  by: HoursBy;
  rows: readonly {
    agent_id: string | null;
    start: string | null;
    agents: number;
    first: string | null;
    last: string | null;
    online_ms: number;
    busy_ms: number;
    break_ms: number;
    suspended_ms: number;
    unknown_ms: number;
    utilisation: { value: number | null; numerator: number; denominator: number; provisional: boolean };
  }[];
}

const MINUTE_MS = 60_000;
/** How long somebody was something, in hours and minutes. */
export function hoursOf(ms: number): string {
  const minutes = Math.floor(ms / MINUTE_MS);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}

export const HOURS = ["online", "busy", "break", "suspended", "unknown"] as const;
export const WAITS = ["began", "ended", "most", "waited"] as const;
export const WORDING = ["blocked", "asked", "meant", "flags_agent", "flags_buyer"] as const;

/** A row as it is shown: what it is about, its numbers, and its share of the largest. */
export interface Counted {
  key: string;
  name: string;
  numbers: readonly number[];
  share: number;
}

export function shares(rows: readonly Omit<Counted, "share">[], of: (numbers: readonly number[]) => number): Counted[] {
  const most = Math.max(1, ...rows.map((row) => of(row.numbers)));
  return rows.map((row) => ({ ...row, share: of(row.numbers) / most }));
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** The whole of a stretch; the most that waited at once is no sum. */
export function wholeOf(answer: WaitsAnswer): { began: number; most: number; waited: number; mostAt: string | null } {
  const most = Math.max(0, ...answer.rows.map((row) => row.most));
  return {
    began: sum(answer.rows.map((row) => row.began)),
    most,
    waited: sum(answer.rows.map((row) => row.waited_minutes)),
    mostAt: most === 0 ? null : (answer.rows.find((row) => row.most === most)?.start ?? null),
  };
}
