import { describe, expect, it } from "vitest";

import { SHOWN_MS } from "@/core/left.ts";

import { CONVERSATION, signedIn, world } from "./platform.ts";

describe("a draft that two tabs write", () => {
  it("is the last one's, and what it replaced stands beside, also after the end of the worker", async () => {
    const [made] = await signedIn(60);
    await made.outbox.draft(CONVERSATION, "您好", "");
    await made.outbox.draft(CONVERSATION, "您好，明天发", "您好");

    await made.outbox.draft(CONVERSATION, "您好，没货", "您好");

    expect(made.state).toMatchObject({ drafts: { [CONVERSATION]: "您好，没货" }, displaced: { [CONVERSATION]: "您好，明天发" } });
    const [next] = await signedIn(60);
    expect(next.state).toMatchObject({ drafts: { [CONVERSATION]: "您好，没货" }, displaced: { [CONVERSATION]: "您好，明天发" } });
  });

  it("loses nothing however often the two replace each other", async () => {
    const [made] = await signedIn(61);
    await made.outbox.draft(CONVERSATION, "一", "");
    await made.outbox.draft(CONVERSATION, "二", "");
    await made.outbox.draft(CONVERSATION, "三", "一");
    await made.outbox.draft(CONVERSATION, "二四", "二");

    expect(made.state.displaced[CONVERSATION]).toBe("一\n二\n三");
  });

  it("stands beside nothing that its own writer changed, or that the new one contains", async () => {
    const [made] = await signedIn(62);
    await made.outbox.draft(CONVERSATION, "您好", "");
    await made.outbox.draft(CONVERSATION, "您", "您好");
    await made.outbox.draft(CONVERSATION, "您好吗", "您好");

    expect(made.state.displaced).toEqual({});
  });

  it("is over with what it replaced once that was put back, or dismissed", async () => {
    const [made] = await signedIn(63);
    await made.outbox.draft(CONVERSATION, "一", "");
    await made.outbox.draft(CONVERSATION, "二", "");
    await made.outbox.draft(CONVERSATION, "二\n一", "二");
    expect(made.state.displaced).toEqual({});

    await made.outbox.draft(CONVERSATION, "三", "");
    await made.outbox.dismiss(CONVERSATION);
    expect(made.state.displaced).toEqual({});
    const [next] = await signedIn(63);
    expect(next.state.displaced).toEqual({});
  });

  it("is not taken along by a message that another tab sent", async () => {
    const [made] = await signedIn(64);
    await made.outbox.draft(CONVERSATION, "没写完的", "");

    await made.outbox.send(CONVERSATION, "在的");

    expect(made.state.drafts).toEqual({ [CONVERSATION]: "没写完的" });
    const [next] = await signedIn(64);
    expect(next.state).toMatchObject({ drafts: { [CONVERSATION]: "没写完的" }, outbox: [{ text: "在的" }] });
  });
});

describe("words that were typed in a conversation that is another's by now", () => {
  it.each(["draft", "note"] as const)("have a row after a reload, with what was said: %s", async (typed) => {
    const slot = typed === "draft" ? 20 : 21;
    const [made] = await signedIn(slot);
    await made.outbox[typed]("0190-d", "没写完");

    const [next, line] = await signedIn(slot);
    line.grant();

    expect(next.state.left["0190-d"]).toMatchObject({ reason: "gone", conversation: { id: "0190-d", items: [{ text: "在吗" }], maySend: false } });
    await next.outbox[typed]("0190-d", "");
    world.clock.advance(SHOWN_MS);
    expect(next.state.left).toEqual({});
  });
});
