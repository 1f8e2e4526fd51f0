import { expect, it } from "vitest";

import { itemOf } from "@/core/frames.ts";
import { heldAfter, UNKNOWN } from "@/features/thread/holding.ts";

let offset = 0;
const event = (type: string, d: Record<string, unknown> = {}) => ({ t: "ev", id: `e${(offset += 1)}`, position: [1, offset] as const, type: `conversation.${type}.v1`, time: "2026-11-11T00:00:00Z", d });
const assigned = (agent_id: string, reason = "least_loaded") => event("assigned", { agent_id, skill_group_id: "g", reason });
const transferred = (from_agent_id: string, to_agent_id: string | null, by: string, group = "g") => event("transferred", { from_agent_id, to_agent_id, by, to_skill_group_id: group, note: "" });

function named(...frames: ReturnType<typeof event>[]): (string | null)[] {
  let holding = UNKNOWN;
  return frames.map((frame) => {
    const item = itemOf(frame);
    if (item === null) return null;
    const after = heldAfter(item, holding);
    holding = after.holding;
    return after.name;
  });
}

it("says once who has a conversation", () => {
  expect(named(event("opened"), event("queued"), assigned("a"), assigned("a"), assigned("b"))).toEqual(["opened", "queued", "assigned", null, "assigned"]);
  expect(named(assigned("a"), event("queued"), assigned("a"))).toEqual(["assigned", "queued", "assigned"]);
  expect(named(assigned("a"), event("closed"), assigned("a"))).toEqual(["assigned", "closed", "assigned"]);
  expect(named(transferred("a", "b", "a"), assigned("b"))).toEqual(["transferred", null]);
});

it("calls a taking over and a giving back by their names", () => {
  expect(named(assigned("a"), transferred("a", "boss", "boss"), transferred("boss", null, "boss"), assigned("a"))).toEqual(["assigned", "taken", "back", "assigned"]);
  expect(named(event("queued"), assigned("a", "taken"), transferred("a", null, "a"))).toEqual(["queued", "picked", "back"]);
});

it("calls what a colleague or a leader hands on a transfer", () => {
  expect(named(assigned("a"), transferred("a", null, "a"))).toEqual(["assigned", "transferred"]);
  expect(named(assigned("a"), transferred("a", "b", "boss"))).toEqual(["assigned", "transferred"]);
  expect(named(transferred("a", "boss", "boss"), transferred("boss", null, "boss", "another"))).toEqual(["taken", "transferred"]);
});

it("says nothing of what is no change of a thread", () => {
  expect(named(event("stage_changed", { stage: "solve" }))).toEqual([null]);
});
