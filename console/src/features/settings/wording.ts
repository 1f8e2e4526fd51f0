/** What a shop decides about wording, as services take it and as it stands in a form. */

import { linesOf } from "./reading.ts";

export const ACTIONS = ["allow", "log", "warn", "confirm", "block"] as const;
export type Action = (typeof ACTIONS)[number];

export interface Policy {
  wording_actions?: Record<string, Action>;
  wording_terms?: readonly string[];
  allow_spans?: readonly string[];
}

/** An action by category, empty where the house decides; phrases stand on lines. */
export interface WordingValues {
  wording_actions: Record<string, Action | "">;
  wording_terms: string;
  allow_spans: string;
  reason: string;
}

export function valuesOf({ wording_actions = {}, wording_terms = [], allow_spans = [] }: Policy, categories: readonly string[]): WordingValues {
  return {
    wording_actions: Object.fromEntries(categories.map((code) => [code, wording_actions[code] ?? ""])),
    wording_terms: wording_terms.join("\n"),
    allow_spans: allow_spans.join("\n"),
    reason: "",
  };
}

/** Return the whole policy that stands in a form: what it does not name, the house decides. */
export function policyOf({ wording_actions, wording_terms, allow_spans, reason }: WordingValues): object {
  const decided = Object.entries(wording_actions).filter(([, action]) => action !== "");
  return {
    wording_actions: Object.fromEntries(decided),
    wording_terms: linesOf(wording_terms),
    allow_spans: linesOf(allow_spans),
    ...(reason.trim() === "" ? {} : { reason: reason.trim() }),
  };
}
