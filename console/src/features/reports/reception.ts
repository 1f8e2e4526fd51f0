/** What the report of reception answers, and the flags behind it. Pure. */

export const RECEPTION_BY = ["rule", "agent", "day"] as const;
export type ReceptionBy = (typeof RECEPTION_BY)[number];

/** Counted, by severity, and what leaders made of it. */
export const RECEPTION = ["flags", "mild", "middling", "grave", "judged", "not_bad"] as const;
export type ReceptionSums = Record<(typeof RECEPTION)[number], number>;

export interface ReceptionAnswer {
  start: string;
  end: string;
  by: ReceptionBy;
  whole: ReceptionSums;
  rows: readonly (ReceptionSums & { rule: string | null; agent_id: string | null; start: string | null; doubted: boolean })[];
}

export interface Opinion {
  person_id: string;
  name: string;
  verdict: "handled" | "not_bad";
  note: string;
}

export interface Finding {
  id: string;
  rule: string;
  conversation_id: string;
  agent_id: string;
  at: string;
  severity: number;
  times: number;
  seconds: number;
  positions: readonly (readonly [number, number])[];
  counts: boolean;
  feedback: readonly Opinion[];
}

export interface Rule {
  rule: string;
  title: { zh: string; en: string };
  about: { zh: string; en: string };
}

export const WEIGHTS = ["mild", "middling", "grave"] as const;
/** What a severity from 1 to 3 is called. */
export function weightOf(severity: number): (typeof WEIGHTS)[number] {
  return WEIGHTS[Math.min(severity, WEIGHTS.length) - 1] ?? "mild";
}

/** Where in a conversation's log a flag begins, as its history is asked for. */
export function placeOf(finding: Finding): string {
  return (finding.positions[0] ?? []).join("-");
}
