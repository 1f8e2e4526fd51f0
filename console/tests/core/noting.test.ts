import { describe, expect, it } from "vitest";

import { SHOWN_MS } from "@/core/left.ts";
import { conversationOf, noteKey } from "@/core/noting.ts";

import { CONVERSATION, ROW, settled, signedIn, told, world } from "./platform.ts";

const KEY = noteKey(CONVERSATION);
const noted = (offset: number, who: string, client = `k${offset}`, to: string | null = null) =>
  told(offset, "chat.note.v1", { author_id: who, author_name: "主管", client_id: client, text: "先安抚", to, body_hash: "0" });

describe("a note", () => {
  it("leaves as one, for whom it is meant, and is on screen once", async () => {
    const [made, line] = await signedIn(70);
    await made.outbox.send(KEY, "先安抚", "n-1", false, "a7");
    expect(line.sends).toEqual([{ t: "send", id: "n-1", s: `conv:${CONVERSATION}`, kind: "note", d: { text: "先安抚", to: "a7" } }]);
    expect(made.state.outbox.map((one) => one.conversation)).toEqual([KEY]);

    line.tell(noted(2, "me", "n-1", "a7"));
    await settled();

    expect(made.state.outbox).toEqual([]);
    const item = made.state.conversations[CONVERSATION]?.items.at(-1);
    expect(item).toMatchObject({ by: "agent", senderId: "me", clientId: "n-1", text: "先安抚", note: { author: "主管", to: "a7" } });
  });

  it("has a draft of its own, and neither becomes the other", async () => {
    const [made] = await signedIn(71);
    await made.outbox.draft(CONVERSATION, "给买家的");
    await made.outbox.draft(KEY, "给同事的");
    await made.outbox.send(KEY, "给同事的", "n-2");

    expect(made.state.drafts).toEqual({ [CONVERSATION]: "给买家的" });
    const [next, line] = await signedIn(71);
    expect(next.state.drafts).toEqual({ [CONVERSATION]: "给买家的" });
    expect(line.sends.map((one) => [one.id, one.kind, one.again])).toEqual([["n-2", "note", true]]);
  });

  it("that was refused stands where notes are written again", async () => {
    const [made, line] = await signedIn(72);
    await made.outbox.send(KEY, "给同事的", "n-3");

    line.tell({ t: "err", id: "n-3", problem: { code: "forbidden" } });
    await settled();

    expect(made.state.drafts).toEqual({ [KEY]: "给同事的" });
    expect(Object.keys(made.state.refusals)).toEqual([KEY]);
  });

  it("answers nobody, is the last that was said, and news where a colleague wrote it", async () => {
    const [made, line] = await signedIn(73);
    const before = made.state.conversations[CONVERSATION];

    line.tell(noted(2, "boss"));

    const after = made.state.conversations[CONVERSATION];
    expect(after?.waitingSince).toBe(before?.waitingSince);
    expect(after?.last).toMatchObject({ text: "先安抚", isNote: true });
    expect((after?.unread ?? 0) - (before?.unread ?? 0)).toBe(1);
    line.tell(noted(3, "me"));
    expect(made.state.conversations[CONVERSATION]?.unread).toBe(after?.unread);
  });

  it("is sent on although the conversation left, whose row stays as long as one is typed", async () => {
    const [made, line] = await signedIn(74);
    await made.outbox.draft(KEY, "没写完");
    line.tell({ t: "ev", s: "inbox", id: "e1", type: "conversation.queued.v1", time: "2026-11-11T00:00:00Z", d: { conversation_id: CONVERSATION, version: 9 } });
    world.clock.advance(2 * SHOWN_MS);
    expect(Object.keys(made.state.left)).toEqual([CONVERSATION]);

    await made.outbox.send(KEY, "写完了", "n-4");
    line.grant();

    expect(line.sends.map((one) => [one.s, one.kind])).toEqual([[`conv:${CONVERSATION}`, "note"]]);
  });

  it("of who watches makes no row of what he watches", async () => {
    const [made, line] = await signedIn(75);
    made.oversight.watch("0190-w");
    line.tell({ t: "snap", s: "conv:0190-w", position: [1, 1], d: { conversation: { ...ROW, id: "0190-w", agent_id: "a7" }, items: [] } });
    line.grant();
    await made.outbox.draft(noteKey("0190-w"), "没写完");
    await made.outbox.send(noteKey("0190-w"), "先安抚", "n-5", false, "a7");
    expect(line.sends.at(-1)).toMatchObject({ s: "conv:0190-w", kind: "note" });

    line.tell({ t: "snap", s: "inbox", d: { conversations: [ROW], work: [] } });
    await settled();
    expect(made.state.left).toEqual({});

    line.tell({ ...noted(5, "me", "n-5"), s: "conv:0190-w" });
    await settled();
    expect(made.state.outbox).toEqual([]);
    expect(made.state.watched["0190-w"]?.items.at(-1)?.clientId).toBe("n-5");
  });
});

it("is known by its key, of which nothing makes a message", () => {
  expect([conversationOf(KEY), conversationOf(CONVERSATION)]).toEqual([CONVERSATION, CONVERSATION]);
});
