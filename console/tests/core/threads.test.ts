import { describe, expect, it } from "vitest";

import type { Frame } from "@/core/frames.ts";
import { described, ownership, withItems } from "@/core/threads.ts";

const AT = Date.parse("2026-11-11T00:00:00Z");

function said(offset: number, by: string, text = "在吗"): Frame {
  return {
    t: "ev",
    id: `m${offset}`,
    position: [1, offset],
    type: "chat.message.v1",
    time: new Date(AT + offset * 1_000).toISOString(),
    d: { sender_kind: by, sender_id: by, client_id: `k${offset}`, d: { text } },
  };
}

const empty = described(undefined, { id: "c", buyer: { id: "b", name: "王小明" } });

describe("a thread", () => {
  it("stands in the order of the log and has each entry once, however it came", () => {
    const late = withItems(withItems(empty, [said(3, "buyer"), said(1, "buyer")]), [said(2, "agent"), said(3, "buyer")]);

    expect(late.items.map((item) => item.id)).toEqual(["m1", "m2", "m3"]);
  });

  it("waits from the buyer's first word that nobody answered", () => {
    const asked = withItems(empty, [said(1, "buyer"), said(2, "buyer")]);
    expect(asked.waitingSince).toBe(AT + 1_000);

    const answered = withItems(asked, [said(3, "agent")]);
    expect(answered.waitingSince).toBeNull();

    expect(withItems(answered, [said(4, "buyer")]).waitingSince).toBe(AT + 4_000);
  });

  it("goes on waiting through what a bot says", () => {
    const asked = withItems(empty, [said(1, "buyer"), said(2, "auto"), said(3, "assist_bot")]);

    expect(asked.waitingSince).toBe(AT + 1_000);
  });

  it("goes on waiting through the words of somebody who had lost the conversation", () => {
    const crossed = withItems(empty, [said(1, "buyer"), { ...said(2, "agent"), not_owner: true }]);

    expect(crossed.waitingSince).toBe(AT + 1_000);
  });

  it("is at its first reply until an agent answers, and again when it begins anew", () => {
    const event = (offset: number, type: string): Frame => ({ ...said(offset, "system"), type, d: {} });
    const asked = withItems(empty, [event(1, "conversation.opened.v1"), said(2, "buyer"), said(3, "auto")]);
    expect(asked.isFirst).toBe(true);

    const answered = withItems(asked, [said(4, "agent"), said(5, "buyer")]);
    expect(answered.isFirst).toBe(false);

    const anew = [event(6, "conversation.closed.v1"), said(7, "buyer"), event(8, "conversation.reopened.v1")];
    expect(withItems(answered, anew).isFirst).toBe(true);
  });

  it("waits no longer once it is closed", () => {
    const closed: Frame = { ...said(2, "system"), type: "conversation.closed.v1", d: {} };

    expect(withItems(empty, [said(1, "buyer"), closed]).waitingSince).toBeNull();
  });
});

describe("whose a conversation is", () => {
  const event = (type: string, d: Record<string, unknown>): Frame => ({ t: "ev", type, d });

  it.each([
    ["conversation.assigned.v1", { agent_id: "me" }, true],
    ["conversation.assigned.v1", { agent_id: "other" }, false],
    ["conversation.transferred.v1", { to_agent_id: "me" }, true],
    ["conversation.transferred.v1", { to_agent_id: null }, false],
    ["conversation.closed.v1", {}, false],
    ["chat.message.v1", {}, null],
  ])("%s %o", (type, d, mine) => {
    expect(ownership(event(type, d), "me")).toBe(mine);
  });
});
