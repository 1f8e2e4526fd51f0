/** The supervisor's board as a page reads it, and as it comes whole: instants in ms since 1970. Pure. */

import type { AgentState } from "./types.ts";

/** Response times under one profile: sums in ms beside their counts, so that they can be added. */
export interface BoardFigures {
  rounds: number;
  roundMs: number;
  unanswered: number;
  sessions: number;
  firstResponses: number;
  firstWithin: number;
  /** What `firstWithin` counts: first responses after so many seconds at most. */
  firstWithinS: number;
}

export type FiguresByProfile = Readonly<Record<string, BoardFigures>>;

/** One agent on the board. */
export interface AgentTile {
  id: string;
  name: string;
  state: AgentState;
  /** Conversations that are his now. */
  open: number;
  /** Since when the buyer waits who waits longest for him. */
  waitingSince: number | null;
  /** Buyers who have waited for him beyond the limit. */
  breaching: number;
  /** How many buyers he may have at once; null where it is not told. */
  capacity: number | null;
  /** Skill groups; null where they are not told. */
  groups: readonly string[] | null;
  /** His messages of today that broke a wording rule, and those that were held back. */
  wrongs: number;
  figures: FiguresByProfile;
}

/** A buyer who waits; nobody's while he is queued. */
export interface Waiter {
  conversation: string;
  agent: string | null;
  since: number;
}

/** One shop's board. */
export interface Board {
  publishedAt: number;
  /** The newest event that is counted. */
  asOf: number;
  /** How far counting lags behind the clock; 0 on time. */
  delayedMs: number;
  messages: number;
  open: number;
  waiting: number;
  waitingSince: number | null;
  /** Who waits and is nobody's; null where it is not told. */
  queued: number | null;
  /** How many buyers all may have at once who are not offline; null where it is not told. */
  capacity: number | null;
  /** Of who waits, those at each of the three levels or beyond it; null where it is not told. */
  levels: readonly [number, number, number] | null;
  flagsAgent: number;
  flagsBuyer: number;
  held: number;
  figures: FiguresByProfile;
  agents: readonly AgentTile[];
  /** Agents who did not fit; those with the longest waits are here. */
  agentsLeftOut: number;
  /** Who waits longest, at most twenty. */
  longest: readonly Waiter[];
}

/**
 * `asked`: nothing came yet. `missing`: the gateway has none, and the next that is published will
 * come. `refused`: not for this person.
 */
export interface BoardView {
  status: "asked" | "missing" | "refused" | "live";
  /** The newest that came, also while the connection is away. */
  latest: Board | null;
  /** Up to then everything is said to be counted, also where no board came since; null: nothing is said. */
  through: number | null;
}

interface RawFigures {
  profile: string;
  rounds: number;
  round_ms: number;
  unanswered: number;
  sessions: number;
  first_responses: number;
  first_within_30s: number;
  first_within?: number;
  first_within_s?: number;
}

interface RawTile {
  agent_id: string;
  name: string;
  state: AgentState;
  open_conversations: number;
  longest_wait_ms: number;
  breaching: number;
  figures: RawFigures[];
}

interface RawBoard {
  time: string;
  as_of: string;
  delayed_ms: number;
  messages: number;
  open_conversations: number;
  waiting: number;
  longest_wait_ms: number;
  flags_agent: number;
  flags_buyer: number;
  held: number;
  figures: RawFigures[];
  agents: RawTile[];
  agents_left_out?: number;
  waiting_longest: { conversation_id: string; agent_id: string | null; waiting_since: string }[];
}

/** Read a board as `monitor:` carries it, or as `GET /v1/monitor/board` answers it. */
export function boardOf(given: unknown): Board {
  const raw = given as RawBoard;
  const publishedAt = Date.parse(raw.time);
  const longest = raw.waiting_longest.map((one) => ({ conversation: one.conversation_id, agent: one.agent_id, since: Date.parse(one.waiting_since) }));
  return {
    publishedAt,
    asOf: Date.parse(raw.as_of),
    delayedMs: raw.delayed_ms,
    messages: raw.messages,
    open: raw.open_conversations,
    waiting: raw.waiting,
    waitingSince: raw.waiting === 0 ? null : (longest[0]?.since ?? publishedAt - raw.longest_wait_ms),
    queued: null,
    capacity: null,
    levels: null,
    flagsAgent: raw.flags_agent,
    flagsBuyer: raw.flags_buyer,
    held: raw.held,
    figures: byProfile(raw.figures),
    agents: raw.agents.map((tile) => tileOf(tile, publishedAt, longest)),
    agentsLeftOut: raw.agents_left_out ?? 0,
    longest,
  };
}

/** A tile says how long somebody waited when it was published; where it is known since when, that is steadier. */
function tileOf(raw: RawTile, publishedAt: number, longest: readonly Waiter[]): AgentTile {
  const known = longest.find((one) => one.agent === raw.agent_id)?.since;
  return {
    id: raw.agent_id,
    name: raw.name,
    state: raw.state,
    open: raw.open_conversations,
    waitingSince: raw.longest_wait_ms === 0 ? (known ?? null) : (known ?? publishedAt - raw.longest_wait_ms),
    breaching: raw.breaching,
    capacity: null,
    groups: null,
    wrongs: 0,
    figures: byProfile(raw.figures),
  };
}

function byProfile(all: readonly RawFigures[]): FiguresByProfile {
  return Object.fromEntries(
    all.map((one) => [
      one.profile,
      {
        rounds: one.rounds,
        roundMs: one.round_ms,
        unanswered: one.unanswered,
        sessions: one.sessions,
        firstResponses: one.first_responses,
        firstWithin: one.first_within ?? one.first_within_30s,
        firstWithinS: one.first_within_s ?? 30,
      },
    ]),
  );
}
