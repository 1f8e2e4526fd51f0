/** Whose a conversation is and by which version: what one takes it by. Pure. */

import type { Frame } from "./frames.ts";
import type { Standing } from "./types.ts";

/** A conversation as a snapshot describes it, as far as this is about. */
export interface Facts {
  version?: number;
  agent_id?: string | null;
  state?: string;
  mode?: "routed" | "taken" | null;
}

/** Return how a snapshot says that it stands, unless something newer is known. */
export function standingIn(known: Standing | undefined, facts: Facts): Standing | undefined {
  const { version, state, agent_id: owner = null } = facts;
  if (version === undefined || state === undefined || version < (known?.version ?? 0)) return known;
  return { version, owner, isClosed: state === "closed", isTaken: facts.mode === "taken" };
}

/** Return how it stands after what the log told; what is older changes nothing. */
export function standingAfter(known: Standing | undefined, frames: readonly Frame[]): Standing | undefined {
  return frames.reduce((before, frame) => after(before, frame), known);
}

function after(known: Standing | undefined, frame: Frame): Standing | undefined {
  const body = frame.d ?? {};
  const version = body.version;
  if (known === undefined || typeof version !== "number" || version <= known.version) return known;
  const isTaken = body.mode === "taken";
  switch (frame.type) {
    case "conversation.assigned.v1":
      return { version, owner: String(body.agent_id), isClosed: false, isTaken };
    case "conversation.transferred.v1":
      return { version, owner: typeof body.to_agent_id === "string" ? body.to_agent_id : null, isClosed: false, isTaken };
    case "conversation.queued.v1":
    case "conversation.reopened.v1":
      return { version, owner: null, isClosed: false, isTaken: false };
    case "conversation.closed.v1":
      return { version, owner: null, isClosed: true, isTaken: false };
    default:
      return { ...known, version };
  }
}
