import { describe, expect, it, vi } from "vitest";

import type { Database } from "@/core/database.ts";
import { SHOWN_MS } from "@/core/left.ts";

import { CONVERSATION, settled, signedIn, world } from "./platform.ts";

describe("a draft that the browser's database refuses", () => {
  it("is said not to be kept, until it is, or is gone", async () => {
    const [made] = await signedIn(65);
    const { database } = made.outbox;
    const works = database?.draft.bind(database);
    await made.outbox.draft(CONVERSATION, "没");
    expect(made.state.unkept).toEqual({});

    vi.spyOn(database as Database, "draft").mockRejectedValue(new DOMException("full", "QuotaExceededError"));
    await made.outbox.draft(CONVERSATION, "没写完");
    await made.outbox.draft("0190-d", "也没写完");
    expect(made.state).toMatchObject({ drafts: { [CONVERSATION]: "没写完" }, unkept: { [CONVERSATION]: "failed", "0190-d": "failed" } });

    vi.spyOn(database as Database, "draft").mockImplementation(works as Database["draft"]);
    await made.outbox.draft(CONVERSATION, "没写完的");
    expect(made.state.unkept).toEqual({ "0190-d": "failed" });
    await made.outbox.send("0190-d", "也没写完");
    expect(made.state.unkept).toEqual({});
  });

  it("is said not to be kept where it came back from the gate, too", async () => {
    const [made, line] = await signedIn(67);
    await made.outbox.send(CONVERSATION, "不好的话");
    vi.spyOn(made.outbox.database as Database, "giveBack").mockRejectedValue(new Error("full"));

    line.tell({ t: "err", id: line.sends[0]?.id as string, problem: { code: "blocked", hits: [] } });
    await settled();

    expect(made.state).toMatchObject({ drafts: { [CONVERSATION]: "不好的话" }, unkept: { [CONVERSATION]: "failed" } });
  });

  it("is not said to be kept before it is, whatever an older write says", async () => {
    const [made] = await signedIn(66);
    const answers: ((isKept: boolean) => void)[] = [];
    vi.spyOn(made.outbox.database as Database, "draft").mockImplementation(
      () => new Promise((resolve, reject) => answers.push((isKept) => (isKept ? resolve() : reject(new Error("full"))))),
    );
    void made.outbox.draft(CONVERSATION, "一");
    void made.outbox.draft(CONVERSATION, "一二");
    expect(made.state.unkept).toEqual({ [CONVERSATION]: "writing" });

    answers[0]?.(true);
    await settled();
    expect(made.state.unkept).toEqual({ [CONVERSATION]: "writing" });
    answers[1]?.(false);
    await settled();
    expect(made.state.unkept).toEqual({ [CONVERSATION]: "failed" });
  });
});

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
