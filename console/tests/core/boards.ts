/** Boards as the gateway carries them, for tests. */

export function rawBoard(changed: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    type: "board.published.v1",
    time: "2026-11-11T00:01:00.000Z",
    as_of: "2026-11-11T00:00:59.000Z",
    delayed_ms: 0,
    messages: 120,
    open_conversations: 12,
    waiting: 0,
    longest_wait_ms: 0,
    flags_agent: 1,
    flags_buyer: 2,
    held: 3,
    figures: [rawFigures("taobao_2022"), rawFigures("jd_2021", { rounds: 0, round_ms: 0, sessions: 0, first_within: 0 })],
    agents: [],
    waiting_longest: [],
    agents_left_out: 0,
    ...changed,
  };
}

export function rawFigures(profile: string, changed: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    profile,
    rounds: 10,
    round_ms: 274_000,
    unanswered: 1,
    first_responses: 8,
    first_response_ms: 80_000,
    first_within_30s: 9,
    sessions: 10,
    first_within: 9,
    first_within_s: 30,
    ...changed,
  };
}

export function rawTile(changed: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    agent_id: "a1",
    name: "客服1号",
    state: "online",
    open_conversations: 3,
    longest_wait_ms: 0,
    breaching: 0,
    figures: [rawFigures("taobao_2022")],
    ...changed,
  };
}

/** Totals as `board:` carries them. */
export function rawTotals(changed: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    time: "2026-11-11T00:01:00.000Z",
    as_of: "2026-11-11T00:00:59.000Z",
    delayed_ms: 0,
    messages: 120,
    open_conversations: 12,
    waiting: 2,
    waiting_since: "2026-11-11T00:00:30.000Z",
    queued: 1,
    breaching: 0,
    flags_agent: 1,
    flags_buyer: 2,
    held: 3,
    states: { online: 2 },
    figures: { taobao_2022: [10, 274_000, 1, 8, 80_000, 9, 7, 30] },
    waiting_longest: [],
    ...changed,
  };
}

/** An agent's tile as `board:` carries it. */
export function rawAgent(changed: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    agent_id: "a1",
    name: "客服1号",
    state: "online",
    since: null,
    open_conversations: 3,
    waiting: 0,
    waiting_since: null,
    breaching: 0,
    figures: { taobao_2022: [10, 274_000, 1, 8, 80_000, 9, 7, 30] },
    removed: false,
    ...changed,
  };
}
