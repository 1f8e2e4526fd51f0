import "fake-indexeddb/auto";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Dial } from "@/core/connection.ts";
import { Desk } from "@/core/desk.ts";
import type { Frame, Outgoing } from "@/core/frames.ts";

import { ManualClock } from "./time.ts";

const CONVERSATION = "0190-c";

/** The gateway's end of one socket. */
class Line {
  static readonly all: Line[] = [];
  readonly heard: Outgoing[] = [];

  constructor(readonly events: Parameters<Dial>[0]) {
    Line.all.push(this);
  }

  tell(frame: Frame): void {
    this.events.said(JSON.stringify(frame));
  }

  /** Greet, and grant every subscription that is asked for. */
  greet(): void {
    this.events.opened();
    this.tell({ t: "ready", server_time: "2026-11-11T00:00:00Z" });
    this.grant();
  }

  grant(): void {
    for (const sub of this.heard.filter((frame) => frame.t === "sub")) {
      this.heard.splice(this.heard.indexOf(sub), 1);
      if (sub.s === "inbox") this.tell({ t: "snap", s: "inbox", d: { conversations: [ROW], work: [] } });
      else this.tell({ t: "snap", s: sub.s as string, position: [1, 1], d: { conversation: ROW, items: [ASKED] } });
      this.tell({ t: "ok", id: sub.id as string, d: { may_send: true } });
    }
    if (this.heard.some((frame) => frame.t === "sub")) this.grant();
  }

  get sends(): Outgoing[] {
    return this.heard.filter((frame) => frame.t === "send");
  }
}

const ROW = { id: CONVERSATION, buyer_id: "b", buyer: { id: "b", name: "王小明" }, agent_id: "me", state: "active", version: 5 };
const ASKED = {
  t: "ev",
  id: "m1",
  position: [1, 1],
  type: "chat.message.v1",
  time: "2026-11-11T00:00:00Z",
  d: { sender_kind: "buyer", sender_id: "b", client_id: "k1", d: { text: "在吗" } },
};

const dial: Dial = (events) => {
  const line = new Line(events);
  return { send: (text) => line.heard.push(JSON.parse(text) as Outgoing), close: () => undefined };
};

let clock: ManualClock;
let person = "me";
let isAway = false;
let levels: unknown = null;
const LEVELS = { first: [10, 20, 30], later: [20, 100, 180] };

function desk(slot: number): Desk {
  return new Desk(slot, dial, clock, () => undefined, "worker-1");
}

beforeEach(() => {
  clock = new ManualClock();
  Line.all.length = 0;
  person = "me";
  isAway = false;
  levels = LEVELS;
  vi.stubGlobal("fetch", (path: string) => {
    if (path === "/v1/console") {
      const facts = { profiles: [{ name: "other", levels: null }, { name: "jd_2021", levels }], levels_profile: "jd_2021" };
      return Promise.resolve(new Response(JSON.stringify(facts), { status: levels === null ? 503 : 200 }));
    }
    if (isAway) return Promise.resolve(new Response("{}", { status: 503 }));
    const session = { token: "t", expires_at: new Date(clock.now() + 900_000).toISOString(), person: { id: person, role: "agent", shop_id: "s", name: "小陈" } };
    return Promise.resolve(new Response(JSON.stringify(path.endsWith("/me") ? { state: "online" } : session)));
  });
});
afterEach(() => vi.unstubAllGlobals());

/** Let what was promised happen; time stands still meanwhile. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve));
}

async function signedIn(slot: number): Promise<[Desk, Line]> {
  const made = desk(slot);
  await made.start();
  const line = Line.all.at(-1) as Line;
  line.greet();
  return [made, line];
}

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

    clock.advance(1_000);
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

    person = "other";
    const other = desk(4);
    await other.start();
    expect([other.state.drafts, other.state.outbox]).toEqual([{}, []]);
  });

  it("shows all of a conversation that left and came back", async () => {
    const [made, line] = await signedIn(7);
    line.events.closed(1006);
    await made.outbox.send(CONVERSATION, "在的");
    clock.advance(1_000);
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
    clock.advance(2_000);
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
    clock.advance(1_000);
    const next = Line.all.at(-1) as Line;
    next.greet();

    clock.advance(2_000);

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
    isAway = true;
    line.events.closed(4005);
    await settled();
    expect(made.state.session).toBe("in");

    isAway = false;
    clock.advance(2_000);
    await settled();
    clock.advance(500);
    (Line.all.at(-1) as Line).greet();

    expect(Line.all).toHaveLength(2);
    expect(made.state.connection).toBe("connected");
  });

  it("comes back without a position that the gateway does not know", async () => {
    const [, line] = await signedIn(9);
    line.events.closed(4004);
    clock.advance(1_000);
    const next = Line.all.at(-1) as Line;

    next.events.opened();
    next.tell({ t: "ready", server_time: ASKED.time });

    expect(next.heard.filter((frame) => frame.t === "sub").map((frame) => frame.position)).toEqual([undefined, undefined]);
  });

  it("gives up a connection that answers nothing any more", async () => {
    const [made, line] = await signedIn(10);
    clock.advance(20_000);
    expect(line.heard.at(-1)?.t).toBe("ping");

    clock.advance(10_000);

    expect(made.state.connection).not.toBe("connected");
    expect(Line.all).toHaveLength(2);
  });

  it("says that the connection is lost where there never was one", async () => {
    const made = desk(11);
    await made.start();

    clock.advance(1_500);

    expect(made.state.connection).toBe("lost");
  });

  it("says that the connection is lost only after a while", async () => {
    const [made, line] = await signedIn(5);

    line.events.closed(1006);
    expect(made.state.connection).toBe("connecting");
    clock.advance(1_500);

    expect(made.state.connection).toBe("lost");
  });

  it("knows how long is too long, and still does while nobody answers", async () => {
    const [made] = await signedIn(30);
    await settled();
    expect(made.state.levels).toEqual(LEVELS);

    levels = null;
    const again = desk(30);
    await again.start();
    await settled();
    expect(again.state.levels).toEqual(LEVELS);
  });

  it("asks how long is too long until somebody answers", async () => {
    levels = null;
    const [made] = await signedIn(31);
    await settled();
    expect(made.state.levels).toBeNull();

    levels = LEVELS;
    clock.advance(18_000);
    await settled();
    expect(made.state.levels).toEqual(LEVELS);
  });

  it("ends with a close code that says so, and keeps nothing of the person on screen", async () => {
    const [made, line] = await signedIn(6);

    line.events.closed(4503);

    expect(made.state).toMatchObject({ session: "out", me: null, ended: 4503, conversations: {} });
  });
});
