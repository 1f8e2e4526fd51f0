/** Names of what lies behind a number, as they stand in the address. Pure. */

/** `late`: answered, but not in time. */
export type Outcome = "within" | "late" | "unanswered";

/** Rounds or sessions that a number counts: all of its average, or those that ended so; of one agent, or of all. */
export interface Counted {
  of: "rounds" | "sessions";
  outcome: Outcome | null;
  agent: string | null;
}

const OF = ["rounds", "sessions"] as const;
const OUTCOMES = ["within", "late", "unanswered"] as const;
const PLAIN = ["waiting", "open", "online", "figures", "held", "flags"];

const WRONGS = "wrongs:";

/** Return the name of what an agent said that broke a wording rule. */
export function wrongsOf(agent: string): string {
  return `${WRONGS}${agent}`;
}

/** Return whose wording a name means; null where it means none. */
export function wrongsAgent(drill: string): string | null {
  return drill.startsWith(WRONGS) ? drill.slice(WRONGS.length) : null;
}

/** Return the name of a list of rounds or sessions. */
export function counted(of: Counted["of"], outcome: Outcome | null = null, agent: string | null = null): string {
  return [of, outcome ?? "all", ...(agent === null ? [] : [agent])].join(".");
}

/** Return which rounds or sessions a name means; null where it means none. */
export function countedOf(drill: string): Counted | null {
  const [first, second, ...rest] = drill.split(".");
  const of = OF.find((one) => one === first);
  const outcome = second === "all" ? null : OUTCOMES.find((one) => one === second);
  if (of === undefined || outcome === undefined) return null;
  return { of, outcome, agent: rest.length === 0 ? null : rest.join(".") };
}

/** Tell whether a word in the address names something that can be opened. */
export function isDrill(drill: string): boolean {
  return PLAIN.includes(drill) || drill.startsWith("agent:") || drill.startsWith(WRONGS) || countedOf(drill) !== null;
}
