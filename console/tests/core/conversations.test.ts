import { describe, expect, it } from "vitest";

import type { Desk } from "@/core/desk.ts";

import { ASKED, CONVERSATION, Line, ROW, desk, said, settled, signedIn, told, world } from "./platform.ts";

const shown = (made: Desk) => made.state.conversations[CONVERSATION];
const ids = (made: Desk) => shown(made)?.items.map((item) => item.id);
const reads = (line: Line) => line.heard.filter((frame) => frame.t === "read").map((frame) => frame.position);

describe("who left", () => {
  it("is shown for five seconds, with the reason and what was said", async () => {
    const [made, line] = await signedIn(40);

    line.tell(told(2, "conversation.transferred.v1", { conversation_id: CONVERSATION, version: 6, to_agent_id: "x", to_skill_group_id: "g", by: "boss" }));

    expect(made.state.conversations).toEqual({});
    expect(made.state.left[CONVERSATION]).toMatchObject({ reason: "transferred", toAgent: "x", by: "boss", conversation: { buyer: "王小明", maySend: false } });
    expect(made.state.left[CONVERSATION]?.conversation.items.map((item) => item.id)).toEqual(["m1", "m2"]);
    world.clock.advance(4_999);
    expect(Object.keys(made.state.left)).toEqual([CONVERSATION]);
    world.clock.advance(1);
    expect(made.state.left).toEqual({});
  });

  it("is shown as long as words stand in it that were not sent", async () => {
    const [made, line] = await signedIn(41);
    await made.outbox.send(CONVERSATION, "在的");
    line.tell(told(2, "conversation.closed.v1", { conversation_id: CONVERSATION, version: 6, by: "b" }));
    world.clock.advance(6_000);
    line.tell({ t: "err", id: line.sends[0]?.id as string, problem: { code: "no_seat" } });
    world.clock.advance(5_000);

    expect(made.state.left[CONVERSATION]?.reason).toBe("closed");
    expect(made.state.drafts[CONVERSATION]).toBe("在的");

    await made.outbox.draft(CONVERSATION, "");
    world.clock.advance(5_000);
    expect(made.state.left).toEqual({});
    expect(line.heard.filter((frame) => frame.t === "unsub").map((frame) => frame.s)).toEqual([`conv:${CONVERSATION}`]);
  });

  it("is back in the list at once where it comes back", async () => {
    const [made, line] = await signedIn(42);
    line.tell(told(2, "conversation.queued.v1", { conversation_id: CONVERSATION, version: 6 }));
    line.tell({ t: "ev", s: "inbox", id: "e1", type: "conversation.assigned.v1", d: { conversation_id: CONVERSATION, version: 7, agent_id: "me", waiting_since: "2026-11-11T00:00:00Z" } });

    expect(made.state.left).toEqual({});
    expect(shown(made)?.waitingSince).toBe(Date.parse("2026-11-11T00:00:00Z"));
    world.clock.advance(5_000);
    line.grant();
    expect(ids(made)).toEqual(["m1"]);
  });

  it("is shown after a reload too, where words of before are on their way to him", async () => {
    const [made, line] = await signedIn(43);
    line.events.closed(1006);
    await made.outbox.send("0190-gone", "在的");

    const again = desk(43);
    await again.start();
    const next = Line.all.at(-1) as Line;
    next.greet();

    expect(again.state.left["0190-gone"]).toMatchObject({ reason: "gone", conversation: { buyer: "王小明" } });
    next.tell({ t: "err", id: next.sends[0]?.id as string, problem: { code: "no_seat" } });
    world.clock.advance(5_000);
    expect(again.state.left["0190-gone"]).toBeDefined();
    expect(again.state.drafts["0190-gone"]).toBe("在的");
  });
});

describe("words for a conversation that is closed to one", () => {
  it.each(["forbidden", "not_found"])("are given back, where they can be seen, when it is refused with %s", async (code) => {
    const slot = code === "forbidden" ? 44 : 45;
    const [before, lost] = await signedIn(slot);
    lost.events.closed(1006);
    await before.outbox.send("0190-gone", "在的");

    const made = desk(slot);
    await made.start();
    const line = Line.all.at(-1) as Line;
    line.events.opened();
    line.tell({ t: "ready", server_time: ASKED.time });
    const sub = line.heard.find((frame) => frame.s === "conv:0190-gone");
    line.tell({ t: "err", id: sub?.id as string, problem: { code } });
    world.clock.advance(5_000);

    expect(made.state.outbox).toEqual([]);
    expect(made.state.drafts["0190-gone"]).toBe("在的");
    expect(made.state.left["0190-gone"]).toMatchObject({ reason: "gone" });
    const [again] = await signedIn(slot);
    expect(again.state.drafts["0190-gone"]).toBe("在的");
  });
});

describe("what was not seen", () => {
  it("is counted until a person saw it, and the buyer is told how far", async () => {
    const [made, line] = await signedIn(50);
    line.tell(said(2));
    expect(shown(made)).toMatchObject({ unread: 2, firstUnread: "m1" });

    await made.read(CONVERSATION, [1, 2]);

    expect(shown(made)).toMatchObject({ unread: 0, firstUnread: null });
    expect(reads(line)).toEqual([[1, 2]]);
  });

  it("is what came while the page that says so did not show it yet", async () => {
    const [made, line] = await signedIn(51);
    line.tell(said(2));

    await made.read(CONVERSATION, [1, 1]);

    expect(shown(made)).toMatchObject({ unread: 1, firstUnread: "m2" });
    expect(reads(line)).toEqual([[1, 1]]);
  });

  it("grows no more by an older tab that has seen less", async () => {
    const [made, line] = await signedIn(52);
    line.tell(said(2));
    await made.read(CONVERSATION, [1, 2]);

    await made.read(CONVERSATION, [1, 1]);

    expect(shown(made)?.unread).toBe(0);
    expect(reads(line).at(-1)).toEqual([1, 2]);
  });

  it("stays seen after a reload, and the buyer is told again where that was lost", async () => {
    const [made, line] = await signedIn(53);
    line.events.closed(1006);
    await made.read(CONVERSATION, [1, 1]);
    await settled();

    const [again, next] = await signedIn(53);

    expect(shown(again)?.unread).toBe(0);
    expect(reads(next)).toEqual([[1, 1]]);
  });

  it("is what the platform says, where this device knows nothing of it", async () => {
    world.read = { buyer: null, owner: [1, 1] };
    const [made, line] = await signedIn(54);

    expect(shown(made)).toMatchObject({ unread: 0, firstUnread: null, readUpTo: null });
    line.tell(said(2));
    expect(shown(made)).toMatchObject({ unread: 1, firstUnread: "m2" });
  });

  it("is what this device knows, where the platform knows less", async () => {
    const [made] = await signedIn(55);
    await made.read(CONVERSATION, [1, 1]);
    await settled();
    world.read = { buyer: null, owner: [0, 9] };

    const [again, next] = await signedIn(55);

    expect(shown(again)?.unread).toBe(0);
    expect(reads(next)).toEqual([[1, 1]]);
  });

  it("goes as soon as it was read on another device, and is kept here", async () => {
    const [made, line] = await signedIn(56);
    line.tell(said(2));

    line.tell({ t: "patch", s: `conv:${CONVERSATION}`, d: { read: { person_id: "me", position: [1, 2] } } });

    expect(shown(made)).toMatchObject({ unread: 0, readUpTo: null });
    expect(reads(line)).toEqual([]);
    await settled();
    expect(shown((await signedIn(56))[0])?.unread).toBe(0);
  });
});

describe("how far the buyer has read", () => {
  it("is known after a reload", async () => {
    world.read = { buyer: [1, 1], owner: null };

    const [made, line] = await signedIn(57);

    expect(shown(made)).toMatchObject({ unread: 1, readUpTo: [1, 1] });
    line.tell({ t: "patch", s: `conv:${CONVERSATION}`, d: { read: { person_id: "b", position: [1, 3] } } });
    expect(shown(made)?.readUpTo).toEqual([1, 3]);
  });
});

describe("what was said before", () => {
  /** A desk whose thread is the end of something longer. */
  async function long(slot: number): Promise<[Desk, Line]> {
    const made = desk(slot);
    await made.start();
    const line = Line.all.at(-1) as Line;
    line.events.opened();
    line.tell({ t: "ready", server_time: ASKED.time });
    line.tell({ t: "snap", s: "inbox", d: { conversations: [ROW], work: [] } });
    line.tell({ t: "snap", s: `conv:${CONVERSATION}`, position: [1, 11], d: { conversation: ROW, items: [said(10), said(11)] } });
    return [made, line];
  }
  const page = (offsets: number[], next: string | null) => ({ items: offsets.map((offset) => said(offset)), next_cursor: next });

  it("comes in pages, in front of what is there, until there is no more", async () => {
    const [made] = await long(60);
    world.pages = { "": page([11, 10, 9], "a"), a: page([8, 7], null) };
    expect(shown(made)?.older).toBe("more");

    await made.older(CONVERSATION);
    expect(ids(made)).toEqual(["m9", "m10", "m11"]);
    expect(shown(made)?.older).toBe("more");

    await made.older(CONVERSATION);
    expect(ids(made)).toEqual(["m7", "m8", "m9", "m10", "m11"]);
    expect(shown(made)?.older).toBe("none");
  });

  it("stands in its order beside what is said while it comes", async () => {
    const [made, line] = await long(61);
    world.pages = { "": page([11, 10, 9], null) };
    await settled();
    world.held = [];

    const asked = made.older(CONVERSATION);
    expect(shown(made)?.older).toBe("loading");
    line.tell(said(12));
    for (const go of world.held) go();
    await asked;

    expect(ids(made)).toEqual(["m9", "m10", "m11", "m12"]);
  });

  it("is fetched once, however often a page asks", async () => {
    const [made] = await long(62);
    world.pages = { "": page([11, 10, 9], "a"), a: page([8], null) };

    await Promise.all([made.older(CONVERSATION), made.older(CONVERSATION)]);

    expect(ids(made)).toEqual(["m9", "m10", "m11"]);
  });

  it("leaves no hole where the thread began anew while it came", async () => {
    const [made, line] = await long(63);
    world.pages = { "": page([11, 10, 9], "a") };
    await settled();
    world.held = [];
    const asked = made.older(CONVERSATION);
    line.tell({ t: "snap", s: `conv:${CONVERSATION}`, position: [1, 31], d: { conversation: ROW, items: [said(30), said(31)] } });

    for (const go of world.held) go();
    await asked;

    expect(ids(made)).toEqual(["m30", "m31"]);
    expect(shown(made)?.older).toBe("more");
  });

  it("says that it could not come, and comes when it is asked for again", async () => {
    const [made] = await long(64);
    world.isAway = true;
    await made.older(CONVERSATION);
    expect(shown(made)?.older).toBe("failed");

    world.isAway = false;
    world.pages = { "": page([11, 10, 9], null) };
    await made.older(CONVERSATION);
    expect(ids(made)).toEqual(["m9", "m10", "m11"]);
  });
});
