/** What `GET /v1/monitor/curve` answers, as a board draws it. Pure. */

export interface Curve {
  day: string;
  time_zone: string;
  start: string;
  end: string;
  waiting: readonly number[];
  opened: readonly number[];
}

export const MINUTES_OF_AN_HOUR = 60;

export interface Hour {
  /** Of its first minute. */
  start: number;
  /** The most that waited at once; null where it has not come yet. */
  most: number | null;
  began: number | null;
  mostBefore: number | null;
}

/** Return today's hours beside those of the day before, by how far they are into their day. */
export function hours(today: Curve, before: Curve | null): Hour[] {
  const start = Date.parse(today.start);
  const count = Math.ceil((Date.parse(today.end) - start) / 60_000 / MINUTES_OF_AN_HOUR);
  return Array.from({ length: count }, (_, number) => {
    const part = <T>(all: readonly T[] | undefined) => (all ?? []).slice(number * MINUTES_OF_AN_HOUR, (number + 1) * MINUTES_OF_AN_HOUR);
    const opened = part(today.opened);
    return {
      start: start + number * MINUTES_OF_AN_HOUR * 60_000,
      most: mostOf(part(today.waiting)),
      began: opened.length === 0 ? null : opened.reduce((sum, one) => sum + one, 0),
      mostBefore: mostOf(part(before?.waiting)),
    };
  });
}

/** Null where nothing is. */
export function mostOf(numbers: readonly number[]): number | null {
  return numbers.length === 0 ? null : Math.max(...numbers);
}
