/** How a buyer's conversation stands: who serves him, or how many are before him. Pure. */

/** From this number on, nobody counts. */
export const MANY = 100;
const SOON_MS = 30_000;
const LATE_MS = 120_000;

/** A conversation as its buyer reads it. */
export interface Served {
  id: string;
  state: string;
  version: number;
  agent: { name: string; online: boolean } | null;
  ahead: number | null;
  score: number | null;
}

export interface Standing {
  id: string;
  version: number;
  state: "queued" | "assigned" | "closed";
  agent: Served["agent"];
  /** How many are before him, `MANY` at most; null while that is not known, or nobody is waited for. */
  ahead: number | null;
  score: number | null;
}

/** Take over what was read last, unless something newer is known. */
export function standingOf(served: Served, known: Standing | null): Standing {
  if (known !== null && known.id === served.id && known.version > served.version) return known;
  const state = served.state === "queued" || served.state === "closed" ? served.state : "assigned";
  const { id, version, agent, ahead, score } = served;
  return { id, version, state, agent, ahead, score };
}

/** How long what was read holds; null: for good, or until an event says otherwise. */
export function lookAfterMs(standing: Standing | null): number | null {
  if (standing === null) return SOON_MS;
  if (standing.state === "closed") return null;
  return standing.state === "queued" && (standing.ahead ?? 0) < MANY ? SOON_MS : LATE_MS;
}
