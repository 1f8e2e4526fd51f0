import { describe, expect, it } from "vitest";

import type { Frame } from "@/core/frames.ts";
import { standingAfter, standingIn } from "@/core/standing.ts";
import { ownership } from "@/core/threads.ts";

const QUEUED = { version: 3, owner: null, isClosed: false, isTaken: false };

function told(type: string, version: number, more: Record<string, unknown> = {}): Frame {
  return { t: "ev", type: `conversation.${type}.v1`, d: { version, ...more } };
}

describe("whose a conversation is", () => {
  it("is what the newest of snapshot and log says", () => {
    const known = standingIn(undefined, { version: 3, state: "queued", agent_id: null });

    expect(known).toEqual(QUEUED);
    expect(standingIn(known, { version: 2, state: "assigned", agent_id: "a" })).toBe(known);
    expect(standingAfter(known, [told("assigned", 3, { agent_id: "a" })])).toBe(known);
    expect(standingAfter(known, [told("assigned", 4, { agent_id: "a" })])).toEqual({ ...QUEUED, version: 4, owner: "a" });
  });

  it("goes on by every event, of which some only raise the version by which it is taken", () => {
    const log = [
      told("assigned", 4, { agent_id: "a" }),
      told("stage_changed", 5, { stage: "bargain" }),
      told("transferred", 6, { to_agent_id: "b", by: "b", mode: "taken" }),
    ];

    expect(standingAfter(QUEUED, log.slice(0, 2))).toEqual({ ...QUEUED, version: 5, owner: "a" });
    expect(standingAfter(QUEUED, log)).toEqual({ version: 6, owner: "b", isClosed: false, isTaken: true });
    expect(standingAfter(QUEUED, [...log, told("closed", 7)])).toEqual({ version: 7, owner: null, isClosed: true, isTaken: false });
  });

  it("is a leader's who took it over, and the agent is told so", () => {
    const taken = told("transferred", 6, { to_agent_id: "b", by: "b", from_agent_id: "a", to_skill_group_id: "g" });

    expect(ownership(taken, "a")).toMatchObject({ mine: false, reason: "taken", toAgent: "b" });
    expect(ownership(taken, "b")).toEqual({ mine: true });
    expect(ownership(told("transferred", 6, { to_agent_id: "b", by: "a" }), "a")).toMatchObject({ reason: "transferred" });
  });
});
