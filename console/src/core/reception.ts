/** What an agent does with a conversation beside talking: end it, or hand it on. Knows REST. */

import type { AgentState, Receiver, Receivers } from "./types.ts";

export type Call = (method: string, path: string, body?: unknown) => Promise<unknown>;

interface AgentRow {
  id: string;
  name: string;
  role: string;
  state: AgentState;
  load?: number | null;
  capacity?: number | null;
  waiting?: number | null;
}

interface GroupRow {
  code: string;
  name: string;
}

const PAGE = 200;

export async function end(call: Call, conversation: string): Promise<void> {
  await call("POST", `/v1/conversations/${conversation}/close`, {});
}

/** Hand a conversation on. `to` is a colleague or a group; the note says what he has to know. */
export async function transfer(call: Call, conversation: string, to: Receiver, note: string): Promise<void> {
  const target = to.kind === "agent" ? { to_agent: to.id } : { to_group: to.id };
  await call("POST", `/v1/conversations/${conversation}/transfer`, { ...target, note });
}

/** Return who may be handed a conversation: groups, and colleagues who receive buyers now, the fullest last. */
export async function receivers(call: Call, me: string): Promise<Receivers> {
  const [agents, groups] = (await Promise.all([
    call("GET", `/v1/agents?fields=load&limit=${PAGE}`),
    call("GET", "/v1/skill-groups"),
  ])) as [{ items: AgentRow[] }, { items: GroupRow[] }];
  const present = agents.items.filter((one) => one.id !== me && one.state === "online");
  return [
    ...groups.items.map((one): Receiver => ({ kind: "group", id: one.code, name: one.name })),
    ...present.map(receiver).sort((a, b) => fullness(a) - fullness(b)),
  ];
}

/** Platforms of before say nothing of loads. */
function receiver({ id, name, load, capacity, waiting }: AgentRow): Receiver {
  const known = typeof load === "number" && typeof capacity === "number";
  return { kind: "agent", id, name, ...(known ? { load, capacity, waiting: waiting ?? 0 } : {}) };
}

/** Who has no place is behind everybody who has one. */
function fullness({ load = 0, capacity = 1 }: Receiver): number {
  return load >= capacity ? 1 + load : load / capacity;
}
