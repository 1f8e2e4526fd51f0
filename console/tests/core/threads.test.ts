import { describe, expect, it } from "vitest";

import type { Frame } from "@/core/frames.ts";
import { KEPT, described, ownership, unreadOf, withItems, withOlder, withSnapshot } from "@/core/threads.ts";

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

function event(offset: number, type: string, d: Record<string, unknown> = {}): Frame {
  return { ...said(offset, "system"), type, d };
}

describe("the buyer's clock", () => {
  const at = (second: number) => new Date(AT + second * 1_000).toISOString();

  it.each<[string, Frame[], number | null]>([
    ["a word that is answered elsewhere opens nothing", [event(1, "conversation.closed.v1"), said(2, "buyer"), event(3, "conversation.late_message.v1", { message_id: "m2" })], null],
    ["only the word that is told late is left out", [event(1, "conversation.closed.v1"), said(2, "buyer"), event(3, "conversation.reopened.v1"), said(4, "buyer"), event(5, "conversation.late_message.v1", { message_id: "m2" })], 4],
    ["a word that the archive marks as late opens nothing", [event(1, "conversation.closed.v1"), { ...said(2, "buyer"), late: true }], null],
    ["what he wrote elsewhere counts from when it came", [event(1, "conversation.opened.v1"), event(9, "conversation.contacted.v1", { received_at: at(4) })], 4],
    ["what he wrote elsewhere changes nothing while he waits", [said(1, "buyer"), event(9, "conversation.contacted.v1", { received_at: at(4) })], 1],
    ["going on with it opens nothing before he writes", [event(1, "conversation.closed.v1"), event(2, "conversation.reopened.v1", { reason: "buyer_contact" })], null],
    ["a close for silence ends nobody's waiting", [said(1, "buyer"), event(2, "conversation.closed.v1", { sweep: "idle" })], 1],
    ["a close as abandoned ends it", [said(1, "buyer"), event(2, "conversation.closed.v1", { sweep: "abandoned" })], null],
    ["a goodbye behind the close is no answer to what comes then", [event(1, "conversation.closed.v1", { version: 7 }), said(2, "buyer"), { ...said(3, "agent"), d: { ...said(3, "agent").d, assignment_version: 5 } }], 2],
    ["nor is a word from a seat that was handed on, though nobody marked it", [said(1, "buyer"), event(2, "conversation.transferred.v1", { version: 6 }), { ...said(3, "agent"), d: { ...said(3, "agent").d, assignment_version: 5 } }], 1],
    ["the owner's is one", [said(1, "buyer"), event(2, "conversation.assigned.v1", { version: 6 }), { ...said(3, "agent"), d: { ...said(3, "agent").d, assignment_version: 6 } }], null],
    ["what a seat carries fills in what came before", [event(5, "conversation.assigned.v1", { version: 6, waiting_since: at(1) }), said(7, "buyer")], 1],
    ["what a seat carries yields to an answer that one has seen", [said(2, "agent"), event(5, "conversation.assigned.v1", { version: 6, waiting_since: at(1) }), said(7, "buyer")], 7],
  ])("%s", (_what, frames, seconds) => {
    expect(withItems(empty, frames).waitingSince).toBe(seconds === null ? null : AT + seconds * 1_000);
  });

  it("runs from what the inbox says until the thread is there", () => {
    const row = described(undefined, { id: "c", waiting_since: at(3) });

    expect(row.waitingSince).toBe(AT + 3_000);
    expect(withItems(row, [said(5, "buyer")]).waitingSince).toBe(AT + 3_000);
    expect(withItems(row, [said(4, "agent"), said(5, "buyer")]).waitingSince).toBe(AT + 5_000);
  });

  it("goes on where he wrote more than a thread keeps", () => {
    const words = Array.from({ length: KEPT + 20 }, (_unused, index) => said(index + 1, "buyer"));
    const long = words.reduce((known, word) => withItems(known, [word]), empty);

    expect(long.items).toHaveLength(KEPT);
    expect(long.waitingSince).toBe(AT + 1_000);
    expect(long.older).toBe("more");
  });

  it("forgets a word that is taken back behind what the inbox said", () => {
    const row = withItems(described(undefined, { id: "c", waiting_since: at(2) }), [said(2, "buyer")]);

    expect(withItems(row, [event(3, "conversation.late_message.v1", { message_id: "m2" })]).waitingSince).toBeNull();
  });
});

describe("what was said before", () => {
  const page = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_unused, index) => said(first + index, "agent"));

  it("stands in front, each entry once, and is not cut off by what is said next", () => {
    const long = withOlder(withItems(empty, page(400, 899)), page(300, 420));
    expect(long.items).toHaveLength(600);

    const next = withItems(long, [said(900, "buyer")]);
    expect(next.items.at(0)?.id).toBe("m300");
    expect(next.items.at(-1)?.id).toBe("m900");
  });

  it("goes where a snapshot does not reach back to it, for the thread would have a hole", () => {
    const known = withItems(empty, [said(1, "buyer"), said(2, "agent")]);

    const joined = withSnapshot(known, undefined, [said(2, "agent"), said(3, "buyer")]);
    expect(joined.items.map((item) => item.id)).toEqual(["m1", "m2", "m3"]);

    const apart = withSnapshot(known, undefined, [said(8, "buyer")]);
    expect(apart.items.map((item) => item.id)).toEqual(["m8"]);
    expect(apart.older).toBe("more");
  });

  it("is nothing where the thread begins with its beginning", () => {
    const whole = withSnapshot(empty, undefined, [event(1, "conversation.opened.v1"), said(2, "buyer")]);

    expect(whole.older).toBe("none");
  });
});

describe("what was not seen", () => {
  it("is every word of the buyer behind what somebody saw", () => {
    const { items } = withItems(empty, [said(1, "buyer"), said(2, "buyer"), said(3, "buyer"), said(4, "auto")]);

    expect(unreadOf(items, null, "me")).toEqual({ unread: 3, firstUnread: "m1" });
    expect(unreadOf(items, [1, 2], "me")).toEqual({ unread: 1, firstUnread: "m3" });
    expect(unreadOf(items, [1, 3], "me")).toEqual({ unread: 0, firstUnread: null });
  });

  it("is nothing that one has answered, and nothing that a colleague has before one came", () => {
    const { items } = withItems(empty, [said(1, "buyer"), said(2, "agent"), said(3, "buyer")]);

    expect(unreadOf(items, null, "me").unread).toBe(1);
    expect(unreadOf(items, [1, 1], "agent").unread).toBe(1);
  });
});

describe("whose a conversation is", () => {
  const told = (type: string, d: Record<string, unknown>): Frame => ({ t: "ev", type, d });

  it.each([
    ["conversation.assigned.v1", { agent_id: "me" }, { mine: true }],
    ["conversation.assigned.v1", { agent_id: "other" }, { mine: false, reason: "assigned", toAgent: "other", toGroup: null, by: null }],
    ["conversation.transferred.v1", { to_agent_id: "me", by: "x" }, { mine: true }],
    ["conversation.transferred.v1", { to_agent_id: null, to_skill_group_id: "g", by: "x" }, { mine: false, reason: "transferred", toAgent: null, toGroup: "g", by: "x" }],
    ["conversation.queued.v1", { skill_group_id: "g" }, { mine: false, reason: "queued", toAgent: null, toGroup: "g", by: null }],
    ["conversation.closed.v1", { by: "b" }, { mine: false, reason: "closed", toAgent: null, toGroup: null, by: "b" }],
    ["chat.message.v1", {}, null],
  ])("%s %o", (type, d, mine) => {
    expect(ownership(told(type, d), "me")).toEqual(mine);
  });
});
