import { describe, expect, it } from "vitest";

import type { Frame } from "@/core/frames.ts";
import { SHOWN_MS } from "@/core/left.ts";

import { ASKED, CONVERSATION, LEVELS, Line, desk, settled, signedIn, world } from "./platform.ts";

describe("a desk", () => {
  it("shows who is one's own, what was said and since when they wait", async () => {
    const [made] = await signedIn(0);

    const shown = made.state.conversations[CONVERSATION];
    expect(shown?.buyer).toBe("王小明");
    expect(shown?.items.map((item) => item.text)).toEqual(["在吗"]);
    expect(shown?.waitingSince).toBe(Date.parse("2026-11-11T00:00:00Z"));
  });

  it("sends what was written while the gateway was away, once it is back", async () => {
    const [made, line] = await signedIn(1);
    line.events.closed(1006);
    await made.outbox.send(CONVERSATION, "在的");
    expect(made.state.outbox.map((one) => one.state)).toEqual(["queued"]);

    world.clock.advance(1_000);
    const next = Line.all.at(-1) as Line;
    next.greet();

    expect(next.sends.map((frame) => frame.d)).toEqual([{ text: "在的" }]);
  });

  it("takes a message from the outbox when the log shows it", async () => {
    const [made, line] = await signedIn(2);
    await made.outbox.send(CONVERSATION, "在的");
    const [send] = line.sends;

    line.tell({ ...ASKED, s: `conv:${CONVERSATION}`, id: "m2", position: [1, 2], d: { sender_kind: "agent", sender_id: "me", client_id: send?.id, d: { text: "在的" } } } as Frame);

    expect(made.state.outbox).toEqual([]);
    expect(made.state.conversations[CONVERSATION]?.waitingSince).toBeNull();
  });

  it("gives words back that the gate stopped, before what was typed since", async () => {
    const [made, line] = await signedIn(3);
    await made.outbox.send(CONVERSATION, "不好的话");
    await made.outbox.draft(CONVERSATION, "后来的话");

    line.tell({ t: "err", id: line.sends[0]?.id as string, problem: { code: "blocked", hits: [] } });

    expect(made.state.outbox).toEqual([]);
    expect(made.state.drafts[CONVERSATION]).toBe("不好的话\n后来的话");
    expect(made.state.refusals[CONVERSATION]?.code).toBe("blocked");
  });

  it("keeps drafts and unsent words through the end of the worker, and one person's from another", async () => {
    const [made, line] = await signedIn(4);
    line.events.closed(1006);
    await made.outbox.draft(CONVERSATION, "没写完");
    await made.outbox.send("0190-d", "没发出");

    const again = desk(4);
    await again.start();
    expect(again.state.drafts).toEqual({ [CONVERSATION]: "没写完" });
    expect(again.state.outbox.map((one) => one.text)).toEqual(["没发出"]);

    world.person = "other";
    const other = desk(4);
    await other.start();
    expect([other.state.drafts, other.state.outbox]).toEqual([{}, []]);
  });

  it("shows all of a conversation that left and came back", async () => {
    const [made, line] = await signedIn(7);
    line.events.closed(1006);
    await made.outbox.send(CONVERSATION, "在的");
    world.clock.advance(1_000);
    const next = Line.all.at(-1) as Line;
    next.greet();
    const told = { s: "inbox", id: "e1", time: ASKED.time } as const;

    next.tell({ ...told, t: "ev", type: "conversation.closed.v1", d: { conversation_id: CONVERSATION } });
    expect(made.state.conversations).toEqual({});
    next.tell({ ...told, t: "ev", id: "e2", type: "conversation.assigned.v1", d: { conversation_id: CONVERSATION, agent_id: "me" } });
    expect(next.heard.slice(-2).map((frame) => frame.t)).toEqual(["unsub", "sub"]);
    next.grant();

    expect(made.state.conversations[CONVERSATION]?.items.map((item) => item.text)).toEqual(["在吗"]);
    expect(made.state.conversations[CONVERSATION]?.buyer).toBe("王小明");
  });

  it("keeps what the inbox gave it when a stream tells how it was lost before", async () => {
    const [made, line] = await signedIn(12);
    const told = { t: "ev", s: `conv:${CONVERSATION}`, time: ASKED.time } as const;

    line.tell({ ...told, id: "e1", position: [1, 2], type: "conversation.queued.v1", d: { conversation_id: CONVERSATION, version: 3 } });
    expect(Object.keys(made.state.conversations)).toEqual([CONVERSATION]);
    line.tell({ ...told, id: "e2", position: [1, 3], type: "conversation.queued.v1", d: { conversation_id: CONVERSATION, version: 6 } });

    expect(made.state.conversations).toEqual({});
  });

  it.each(["retry", "internal_error", "too_many_subscriptions", "already_subscribed"])("asks again for a stream that was refused with %s", async (code) => {
    const made = desk(13);
    await made.start();
    const line = Line.all.at(-1) as Line;
    line.events.opened();
    line.tell({ t: "ready", server_time: ASKED.time });
    const [sub] = line.heard.splice(0).filter((frame) => frame.t === "sub");

    line.tell({ t: "err", id: sub?.id as string, problem: { code } });
    world.clock.advance(2_000);
    line.grant();

    expect(Object.keys(made.state.conversations)).toEqual([CONVERSATION]);
  });

  it("asks for a stream once on a connection that came between a refusal and its end", async () => {
    const made = desk(14);
    await made.start();
    const line = Line.all.at(-1) as Line;
    line.events.opened();
    line.tell({ t: "ready", server_time: ASKED.time });
    const sub = line.heard.find((frame) => frame.t === "sub");
    line.tell({ t: "err", id: sub?.id as string, problem: { code: "retry", retry_after_ms: 2_000 } });
    line.events.closed(1006);
    world.clock.advance(1_000);
    const next = Line.all.at(-1) as Line;
    next.greet();

    world.clock.advance(2_000);

    expect(next.heard.filter((frame) => frame.t === "sub")).toEqual([]);
  });

  it("signs in once, however often it was asked to at one time", async () => {
    const made = desk(15);
    await Promise.all([made.signIn("a", "b"), made.signIn("a", "b")]);
    const [first, second] = Line.all as [Line, Line];

    first.events.closed(4505);
    second.greet();

    expect(made.state).toMatchObject({ session: "in", connection: "connected" });
  });

  it("sends what the browser's database refuses to keep", async () => {
    const [made, line] = await signedIn(16);
    made.outbox.database?.close();

    await made.outbox.send(CONVERSATION, "在的");

    expect(line.sends.map((frame) => frame.d)).toEqual([{ text: "在的" }]);
  });

  it("stays signed in while the platform is too far away to renew a token", async () => {
    const [made, line] = await signedIn(8);
    world.isAway = true;
    line.events.closed(4005);
    await settled();
    expect(made.state.session).toBe("in");

    world.isAway = false;
    world.clock.advance(2_000);
    await settled();
    world.clock.advance(500);
    (Line.all.at(-1) as Line).greet();

    expect(Line.all).toHaveLength(2);
    expect(made.state.connection).toBe("connected");
  });

  it("comes back without a position that the gateway does not know", async () => {
    const [, line] = await signedIn(9);
    line.events.closed(4004);
    world.clock.advance(1_000);
    const next = Line.all.at(-1) as Line;

    next.events.opened();
    next.tell({ t: "ready", server_time: ASKED.time });

    expect(next.heard.filter((frame) => frame.t === "sub").map((frame) => frame.position)).toEqual([undefined, undefined]);
  });

  it("gives up a connection that answers nothing any more", async () => {
    const [made, line] = await signedIn(10);
    world.clock.advance(20_000);
    expect(line.heard.at(-1)?.t).toBe("ping");

    world.clock.advance(10_000);

    expect(made.state.connection).not.toBe("connected");
    expect(Line.all).toHaveLength(2);
  });

  it("says that the connection is lost where there never was one", async () => {
    const made = desk(11);
    await made.start();

    world.clock.advance(1_500);

    expect(made.state.connection).toBe("lost");
  });

  it("says that the connection is lost only after a while", async () => {
    const [made, line] = await signedIn(5);

    line.events.closed(1006);
    expect(made.state.connection).toBe("connecting");
    world.clock.advance(1_500);

    expect(made.state.connection).toBe("lost");
  });

  it("knows how long is too long, and still does while nobody answers", async () => {
    const [made] = await signedIn(30);
    await settled();
    expect(made.state.levels).toEqual(LEVELS);

    world.levels = null;
    const again = desk(30);
    await again.start();
    await settled();
    expect(again.state.levels).toEqual(LEVELS);
  });

  it("asks how long is too long until somebody answers", async () => {
    world.levels = null;
    const [made] = await signedIn(31);
    await settled();
    expect(made.state.levels).toBeNull();

    world.levels = LEVELS;
    world.clock.advance(18_000);
    await settled();
    expect(made.state.levels).toEqual(LEVELS);
  });

  it("ends with a close code that says so, and keeps nothing of the person on screen", async () => {
    const [made, line] = await signedIn(6);

    line.events.closed(4503);

    expect(made.state).toMatchObject({ session: "out", me: null, ended: 4503, conversations: {} });
  });

  it.each([
    [4501, "protocol"],
    [4502, "version"],
    [4505, "elsewhere"],
    [4506, "tooMany"],
  ])("stops and stays signed in where a socket was closed with %i", async (code, stopped) => {
    const [made, line] = await signedIn(code);
    await made.outbox.draft(CONVERSATION, "没写完");

    line.events.closed(code);
    world.clock.advance(60_000);

    expect(Line.all).toHaveLength(1);
    expect(made.state).toMatchObject({ session: "in", connection: "stopped", stopped, ended: null, drafts: { [CONVERSATION]: "没写完" } });
    expect(made.state.conversations[CONVERSATION]?.items).toHaveLength(1);
  });

  it("goes on in this place when it is asked to, with what was written meanwhile", async () => {
    const [made, line] = await signedIn(70);
    line.events.closed(4505);
    await made.outbox.send(CONVERSATION, "在的");
    expect(made.state.outbox.map((one) => one.state)).toEqual(["queued"]);

    await made.resume();
    await made.resume();
    const next = Line.all.at(-1) as Line;
    next.events.opened();
    next.tell({ t: "ready", server_time: ASKED.time });
    expect(next.heard.filter((frame) => frame.t === "sub").map((frame) => frame.position)).toEqual([undefined, [1, 1]]);
    next.grant();

    expect(Line.all).toHaveLength(2);
    expect(made.state).toMatchObject({ connection: "connected", stopped: null });
    expect(next.sends.map((frame) => frame.d)).toEqual([{ text: "在的" }]);
  });

  it("says that newer pages are served once it came back to them, and not before", async () => {
    const [made, line] = await signedIn(71);
    await settled();
    world.served = '"two"';
    expect(made.state.stale).toBe(false);

    line.events.closed(4000);
    world.clock.advance(1_000);
    (Line.all.at(-1) as Line).greet();
    await settled();

    expect(made.state.stale).toBe(true);
  });

  it("takes no token that came for who has signed out meanwhile", async () => {
    const [made, line] = await signedIn(72);
    await settled();
    world.held = [];
    line.events.closed(4005);
    world.person = "other";
    const [release] = [world.held];
    world.held = null;
    await made.signIn("other", "p");
    world.person = "me";
    for (const go of release) go();
    await settled();

    expect(made.state).toMatchObject({ session: "in", me: { id: "other" } });
  });

  it("sends once more what failed, and leaves alone what is being typed", async () => {
    const [made, line] = await signedIn(83);
    line.events.closed(4505);
    await made.outbox.send(CONVERSATION, "没发出");
    world.clock.advance(600_001);
    const [failed] = made.state.outbox;
    expect(failed?.state).toBe("failed");
    await made.outbox.draft(CONVERSATION, "没写完");

    await made.outbox.retry(failed?.id ?? "");
    await settled();

    expect(made.state.drafts).toEqual({ [CONVERSATION]: "没写完" });
    const [next] = await signedIn(83);
    expect([next.state.drafts, next.state.outbox.map((one) => [one.text, one.id === failed?.id])]).toEqual([{ [CONVERSATION]: "没写完" }, [["没发出", false]]]);
  });

  it("shows the state that was chosen, whatever was asked before says", async () => {
    const [made] = await signedIn(84);
    await settled();
    world.held = [];
    world.clock.advance(18_000);
    const [before] = [world.held];
    world.held = null;
    world.state = "break";
    await made.setState("break");
    world.state = "online";
    for (const go of before) go();
    await settled();

    expect(made.state.me?.state).toBe("break");
  });

  it("leaves a conversation that left to who looks at it from the board", async () => {
    const [made, line] = await signedIn(85);
    line.tell({ t: "ev", s: "inbox", id: "e1", time: ASKED.time, type: "conversation.closed.v1", d: { conversation_id: CONVERSATION } });
    made.oversight.watch(CONVERSATION);
    line.grant();
    line.heard.length = 0;

    world.clock.advance(SHOWN_MS);

    expect(made.state.left).toEqual({});
    expect(line.heard.filter((frame) => frame.t === "unsub")).toEqual([]);
    expect(made.state.watched[CONVERSATION]?.items).toHaveLength(1);
  });

  it("makes one message of what is asked again, and keeps what was typed since", async () => {
    const [made, line] = await signedIn(80);
    await made.outbox.draft(CONVERSATION, "后来的话");

    await made.outbox.send(CONVERSATION, "在的", "m-1", true);
    await made.outbox.send(CONVERSATION, "在的", "m-1", true);
    await settled();

    expect(line.sends.map(({ id, again }) => [id, again])).toEqual([["m-1", true]]);
    const [next] = await signedIn(80);
    expect([next.state.drafts, next.state.outbox.map((one) => one.id)]).toEqual([{ [CONVERSATION]: "后来的话" }, ["m-1"]]);
  });

  it("sends nothing again that the log shows", async () => {
    const [made, line] = await signedIn(81);

    await made.outbox.send(CONVERSATION, "在吗", "k1", true);

    expect([line.sends, made.state.outbox]).toEqual([[], []]);
  });

  it("leaves session and words to its successor once it was stopped, whatever it was about to do", async () => {
    const [made, line] = await signedIn(82);
    await made.outbox.draft(CONVERSATION, "没写完");
    made.stop();
    expect(line.isClosed).toBe(true);

    const late = desk(82);
    const starting = late.start();
    late.stop();
    await starting;
    expect(Line.all).toHaveLength(1);

    const [next] = await signedIn(82);
    expect(next.state).toMatchObject({ session: "in", drafts: { [CONVERSATION]: "没写完" } });
  });
});
