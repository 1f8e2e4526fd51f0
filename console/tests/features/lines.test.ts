import { describe, expect, it } from "vitest";

import type { Conversation, Item, Pending } from "@/core/types.ts";
import { described } from "@/core/threads.ts";
import { lines } from "@/features/widget/lines.ts";

const item = (number: number, by: Item["by"], more: Partial<Item> = {}): Item => ({
  id: `m${number}`,
  position: [1, number],
  at: number * 1_000,
  type: "chat.message.v1",
  by,
  senderId: by,
  clientId: `k${number}`,
  text: `words ${number}`,
  ...more,
});
const pending = (id: string, state: Pending["state"]): Pending => ({ id, conversation: "chat", text: id, firstTriedAt: 9_000, written: false, state });

function shown(items: Item[], outbox: Pending[] = [], readUpTo: Conversation["readUpTo"] = null) {
  return lines({ conversation: { ...described(undefined, { id: "c" }), items, readUpTo }, earlier: [], outbox });
}

describe("lines of a buyer's chat", () => {
  it("say of the last own one alone that it arrived, or was read", () => {
    expect(shown([item(1, "buyer"), item(2, "buyer"), item(3, "agent")]).map((line) => line.state)).toEqual([null, "delivered", null]);
    expect(shown([item(1, "buyer"), item(2, "buyer")], [], [1, 2]).map((line) => line.state)).toEqual([null, "read"]);
  });

  it("show what is on its way behind it, each with its state, until the log has it", () => {
    const seen = shown([item(1, "buyer")], [pending("k1", "sending"), pending("k2", "queued"), pending("k3", "failed")]);
    expect(seen.map((line) => [line.key, line.state])).toEqual([["m1", "delivered"], ["k2", "queued"], ["k3", "failed"]]);
  });

  it("tell what concerns the buyer and nothing else", () => {
    const kinds = ["conversation.opened.v1", "conversation.queued.v1", "conversation.assigned.v1", "conversation.stage_moved.v1", "conversation.closed.v1"];
    expect(shown(kinds.map((type, index) => item(index, "system", { type }))).map((line) => line.text)).toEqual(["assigned", "closed"]);
  });

  it("show a time at the end of a run", () => {
    const seen = shown([item(1, "agent"), item(2, "agent"), item(200, "agent"), item(201, "buyer")]);
    expect(seen.map((line) => line.ends)).toEqual([false, true, true, true]);
  });
});
