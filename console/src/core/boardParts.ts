/**
 * The supervisor's board as `board:` carries it: totals, and a tile for each agent, told when it
 * changes. Put together for a page a few times a second at most. Knows no stream.
 */

import type { AgentTile, Board, BoardFigures, FiguresByProfile } from "./boards.ts";
import type { Clock } from "./clock.ts";
import type { AgentState } from "./types.ts";

/** What came so shortly one after another is shown together. */
export const TOGETHER_MS = 200;
/** After a snapshot its tiles are on their way: so often they are waited for. */
const WAITED_FOR = 5;

/** Rounds, their ms, unanswered, first responses, their ms, sessions, first within, and within how many seconds. */
type Sums = [number, number, number, number, number, number, number, number];

interface RawTotals {
  time: string;
  as_of: string;
  delayed_ms: number;
  messages: number;
  open_conversations: number;
  waiting: number;
  waiting_since: string | null;
  queued: number;
  flags_agent: number;
  flags_buyer: number;
  held: number;
  states: Partial<Record<AgentState, number>>;
  figures: Record<string, Sums>;
  waiting_longest: { conversation_id: string; agent_id: string | null; waiting_since: string }[];
  capacity?: number | null;
  levels?: [number, number, number] | null;
}

interface RawAgent {
  agent_id: string;
  name: string;
  state: AgentState;
  open_conversations: number;
  waiting_since: string | null;
  breaching: number;
  figures: Record<string, Sums>;
  removed?: boolean;
  capacity?: number | null;
  groups?: string[] | null;
  flags?: number;
  held?: number;
}

export class BoardParts {
  private totals: RawTotals | null = null;
  private readonly tiles = new Map<string, AgentTile>();
  private cancel: (() => void) | null = null;
  private waits = 0;

  constructor(
    private readonly clock: Clock,
    private readonly show: (board: Board) => void,
  ) {}

  /** A snapshot: totals, whose tiles follow. */
  begin(d: unknown): void {
    this.totals = d as RawTotals;
    this.tiles.clear();
    this.waits = WAITED_FOR;
    this.soon();
  }

  /** Something changed: an agent's tile where one is named, else the totals. */
  change(agent: string | undefined, d: unknown): void {
    if (this.totals === null) return;
    if (agent === undefined) {
      this.totals = d as RawTotals;
    } else {
      const raw = d as RawAgent;
      if (raw.removed === true) this.tiles.delete(agent);
      else this.tiles.set(agent, tileOf(raw));
    }
    this.soon();
  }

  clear(): void {
    this.cancel?.();
    this.cancel = this.totals = null;
    this.tiles.clear();
  }

  private soon(): void {
    this.cancel ??= this.clock.after(TOGETHER_MS, () => this.put());
  }

  private put(): void {
    this.cancel = null;
    if (this.totals === null) return;
    const board = put(this.totals, [...this.tiles.values()]);
    if (board.agentsLeftOut > 0 && this.waits-- > 0) return this.soon();
    this.waits = 0;
    this.show(board);
  }
}

function put(raw: RawTotals, agents: AgentTile[]): Board {
  const counted = Object.values(raw.states).reduce((sum, one) => sum + one, 0);
  return {
    publishedAt: Date.parse(raw.time),
    asOf: Date.parse(raw.as_of),
    delayedMs: raw.delayed_ms,
    messages: raw.messages,
    open: raw.open_conversations,
    waiting: raw.waiting,
    waitingSince: moment(raw.waiting_since),
    queued: raw.queued,
    capacity: raw.capacity ?? null,
    levels: raw.levels ?? null,
    flagsAgent: raw.flags_agent,
    flagsBuyer: raw.flags_buyer,
    held: raw.held,
    figures: byProfile(raw.figures),
    agents,
    agentsLeftOut: Math.max(0, counted - agents.length),
    longest: raw.waiting_longest.map((one) => ({ conversation: one.conversation_id, agent: one.agent_id, since: Date.parse(one.waiting_since) })),
  };
}

function tileOf(raw: RawAgent): AgentTile {
  return {
    id: raw.agent_id,
    name: raw.name,
    state: raw.state,
    open: raw.open_conversations,
    waitingSince: moment(raw.waiting_since),
    breaching: raw.breaching,
    capacity: raw.capacity ?? null,
    groups: raw.groups ?? null,
    wrongs: (raw.flags ?? 0) + (raw.held ?? 0),
    figures: byProfile(raw.figures),
  };
}

function byProfile(all: Record<string, Sums>): FiguresByProfile {
  return Object.fromEntries(Object.entries(all).map(([profile, sums]) => [profile, figuresOf(sums)]));
}

function figuresOf([rounds, roundMs, unanswered, firstResponses, , sessions, firstWithin, firstWithinS]: Sums): BoardFigures {
  return { rounds, roundMs, unanswered, sessions, firstResponses, firstWithin, firstWithinS };
}

function moment(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}
