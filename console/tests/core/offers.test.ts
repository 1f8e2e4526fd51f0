/** Colleagues' buyers whom one is asked to answer come with the inbox, and go with it. */

import { expect, it } from "vitest";

import type { Desk } from "@/core/desk.ts";

import { Line, ROW, desk, world } from "./platform.ts";

const OFFER = { id: "o1", conversation: { id: "c9", buyer: { id: "b9", name: "李*" } }, waiting_since: "2026-11-11T00:00:00Z", expires_at: "2026-11-11T00:00:33Z" };
const TOLD = { version: 8, conversation_id: "c9", offer_id: "o1", agent_id: "me", from_agent_id: "ann", waiting_since: OFFER.waiting_since, expires_at: OFFER.expires_at };

async function opened(slot: number): Promise<{ made: Desk; line: Line }> {
  const made = desk(slot);
  await made.start();
  const line = Line.all.at(-1) as Line;
  line.greet();
  return { made, line };
}

function snap(line: Line, offers: readonly unknown[]): void {
  line.tell({ t: "snap", s: "inbox", d: { conversations: [ROW], work: [], offers } });
}

function ev(line: Line, type: string, d: Record<string, unknown>): void {
  line.tell({ t: "ev", s: "inbox", type, d });
}

it("shows what the inbox lists, and what it lists no more is over", async () => {
  const { made, line } = await opened(81);

  snap(line, [OFFER]);
  expect(made.state.offers).toEqual([{ id: "o1", conversation: "c9", buyer: "李*", waitingSince: Date.parse(OFFER.waiting_since), expiresAt: Date.parse(OFFER.expires_at) }]);

  snap(line, []);
  expect(made.state.offers).toEqual([]);
});

it("takes up an offer to oneself with its buyer's name, and none to others", async () => {
  world.facts = { id: "c9", buyer: { id: "b9", name: "李*" } };
  const { made, line } = await opened(82);

  ev(line, "conversation.handoff_offered.v1", { ...TOLD, offer_id: "o2", agent_id: "ben", from_agent_id: "me" });
  expect(made.state.offers).toEqual([]);
  ev(line, "conversation.handoff_offered.v1", TOLD);
  await expect.poll(() => made.state.offers.map((one) => [one.id, one.buyer])).toEqual([["o1", "李*"]]);
  expect(Object.keys(made.state.conversations)).toEqual([ROW.id]);
});

it.each([
  ["conversation.handoff_ended.v1", { version: 9, conversation_id: "c9", offer_id: "o1", agent_id: "me", outcome: "answered" }],
  ["conversation.transferred.v1", { version: 9, conversation_id: "c9", from_agent_id: "ann", to_agent_id: "me", to_skill_group_id: "g", note: "n", by: "system" }],
])("lets it go with %s", async (type, d) => {
  const { made, line } = await opened(83);
  snap(line, [OFFER]);

  ev(line, type, d);

  expect(made.state.offers).toEqual([]);
});
