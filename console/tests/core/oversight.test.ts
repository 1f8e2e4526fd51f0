import { beforeEach, describe, expect, it } from "vitest";

import { TOGETHER_MS } from "@/core/boardParts.ts";
import { boardOf } from "@/core/boards.ts";
import type { Frame, Outgoing } from "@/core/frames.ts";
import { AGAIN_MS, LOOK_MS, Oversight } from "@/core/oversight.ts";
import { Store } from "@/core/store.ts";
import { Streams } from "@/core/streams.ts";
import { described } from "@/core/threads.ts";

import { rawAgent, rawBoard, rawTile, rawTotals } from "./boards.ts";
import { ManualClock } from "./time.ts";

const OUTCOMES = { changed: () => undefined, delivered: () => undefined, refused: () => undefined };
const ROW = { id: "c1", buyer_id: "b", buyer: { id: "b", name: "王小明" }, agent_id: "a7" };
const said = (id: string, offset: number, text: string, sender = "buyer"): Frame => ({
  t: "ev",
  s: "conv:c1",
  id,
  position: [1, offset],
  type: "chat.message.v1",
  time: "2026-11-11T00:00:00Z",
  d: { sender_kind: sender, sender_id: sender, d: { text } },
});

let clock: ManualClock;
let store: Store;
let streams: Streams;
let written: Outgoing[];
let own: string[];
let arrived: Frame[];
let oversight: Oversight;

beforeEach(() => {
  clock = new ManualClock();
  store = new Store(() => undefined);
  written = [];
  own = [];
  arrived = [];
  streams = new Streams((frame) => written.push(frame), clock, OUTCOMES);
  oversight = new Oversight(store, streams, clock, { own: (id) => own.push(id), arrived: (frame) => arrived.push(frame), joined: () => undefined, patched: () => false });
  store.change({ me: { id: "me", name: "主管", role: "supervisor", shopId: "s", state: null } });
  streams.connected();
});

/** Let the board of two agents come. */
function begun(): void {
  streams.heard({ t: "snap", s: "board:s", d: rawTotals() });
  streams.heard({ t: "patch", s: "board:s", k: "a1", d: rawAgent() });
  streams.heard({ t: "patch", s: "board:s", k: "a2", d: rawAgent({ agent_id: "a2", open_conversations: 4, waiting: 1, waiting_since: "2026-11-11T00:00:30Z" }) });
  clock.advance(TOGETHER_MS);
}

function wrote(t: string, s: string): number {
  return written.filter((frame) => frame.t === t && frame.s === s).length;
}

describe("the board in the worker", () => {
  it("is asked for once however often somebody looks, and is put together from totals and tiles", () => {
    oversight.board();
    oversight.board();
    expect(store.state.board).toEqual({ status: "asked", latest: null, through: null });
    expect(wrote("sub", "board:s")).toBe(1);
    expect(wrote("sub", "monitor:s")).toBe(0);

    begun();

    const latest = store.state.board?.latest;
    expect(store.state.board?.status).toBe("live");
    expect([latest?.waiting, latest?.queued, latest?.agentsLeftOut]).toEqual([2, 1, 0]);
    expect(latest?.agents).toEqual([
      expect.objectContaining({ id: "a1", open: 3, waitingSince: null }),
      expect.objectContaining({ id: "a2", open: 4, waitingSince: Date.parse("2026-11-11T00:00:30Z") }),
    ]);
    expect(latest?.figures.taobao_2022).toEqual({ rounds: 10, roundMs: 274_000, unanswered: 1, sessions: 9, firstResponses: 8, firstWithin: 7, firstWithinS: 30 });
  });

  it("shows what changes of it a moment later, all at once", () => {
    oversight.board();
    begun();
    const before = store.state.board?.latest;
    streams.heard({ t: "patch", s: "board:s", k: "a1", d: rawAgent({ open_conversations: 7 }) });
    streams.heard({ t: "patch", s: "board:s", k: "a1", d: rawAgent({ open_conversations: 8 }) });
    streams.heard({ t: "patch", s: "board:s", k: "a2", d: rawAgent({ agent_id: "a2", removed: true }) });
    streams.heard({ t: "patch", s: "board:s", d: rawTotals({ waiting: 0, states: { online: 1 } }) });
    expect(store.state.board?.latest).toBe(before);

    clock.advance(TOGETHER_MS);

    expect(store.state.board?.latest?.waiting).toBe(0);
    expect(store.state.board?.latest?.agents.map((one) => [one.id, one.open])).toEqual([["a1", 8]]);
  });

  it("waits a little for tiles that are on their way, and says how many are missing", () => {
    oversight.board();
    streams.heard({ t: "snap", s: "board:s", d: rawTotals({ states: { online: 2 } }) });
    streams.heard({ t: "patch", s: "board:s", k: "a1", d: rawAgent() });
    clock.advance(TOGETHER_MS);
    expect(store.state.board?.status).toBe("asked");

    clock.advance(10 * TOGETHER_MS);

    expect(store.state.board?.latest?.agentsLeftOut).toBe(1);
    streams.heard({ t: "patch", s: "board:s", k: "a2", d: rawAgent({ agent_id: "a2" }) });
    clock.advance(TOGETHER_MS);
    expect(store.state.board?.latest?.agentsLeftOut).toBe(0);
  });

  it("begins anew with what the platform has after a lost connection", () => {
    oversight.board();
    begun();
    streams.cut(1006);
    streams.connected();
    streams.heard({ t: "snap", s: "board:s", d: rawTotals({ states: { online: 1 } }) });
    streams.heard({ t: "patch", s: "board:s", k: "a9", d: rawAgent({ agent_id: "a9" }) });
    expect(store.state.board?.latest?.agents).toHaveLength(2);

    clock.advance(TOGETHER_MS);

    expect(store.state.board?.latest?.agents.map((one) => one.id)).toEqual(["a9"]);
  });

  it("is forgotten when nobody has looked for a while, and not before", () => {
    oversight.board();
    begun();
    clock.advance(LOOK_MS - TOGETHER_MS - 1);
    oversight.board();
    clock.advance(LOOK_MS - 1);
    expect(wrote("unsub", "board:s")).toBe(0);

    clock.advance(1);

    expect(wrote("unsub", "board:s")).toBe(1);
    expect(store.state.board).toBeNull();
  });

  it("is read whole where the gateway is of an older release, until it is one of this", () => {
    oversight.board();
    streams.heard({ t: "err", id: written[0]?.id as string, problem: { code: "bad_stream" } });
    expect(wrote("sub", "monitor:s")).toBe(1);
    streams.heard({ t: "snap", s: "monitor:s", d: rawBoard({ waiting: 2 }) });
    streams.heard({ t: "patch", s: "monitor:s", d: rawBoard({ waiting: 3 }) });
    expect([store.state.board?.status, store.state.board?.latest?.waiting]).toEqual(["live", 3]);
    clock.advance(LOOK_MS - 1);
    oversight.board();
    clock.advance(LOOK_MS - 1);
    expect(wrote("unsub", "monitor:s")).toBe(0);

    oversight.board();
    streams.cut(1006);
    streams.connected();
    begun();

    expect(wrote("unsub", "monitor:s")).toBe(1);
    expect(store.state.board?.latest?.agents).toHaveLength(2);
  });

  it("is read whole while the monitor is away or of an older release, and asked for again", () => {
    oversight.board();
    streams.heard({ t: "snap", s: "board:s", d: null as never });
    streams.heard({ t: "patch", s: "board:s", k: "a1", d: rawAgent() });
    streams.heard({ t: "snap", s: "monitor:s", d: null as never });
    expect(store.state.board?.status).toBe("missing");
    streams.heard({ t: "patch", s: "monitor:s", d: rawBoard({ waiting: 3 }) });
    expect(store.state.board?.latest?.waiting).toBe(3);
    clock.advance(AGAIN_MS);
    expect(wrote("sub", "board:s")).toBe(2);

    begun();

    expect(wrote("unsub", "monitor:s")).toBe(1);
    expect(store.state.board?.latest?.waiting).toBe(2);
  });

  it("says that it is not for this person", () => {
    oversight.board();
    streams.heard({ t: "err", id: written[0]?.id as string, problem: { code: "forbidden" } });

    expect(store.state.board?.status).toBe("refused");
    expect(wrote("sub", "monitor:s")).toBe(0);
  });

  it("knows how far the board is current, also where no board comes", () => {
    oversight.board();
    streams.heard({ t: "snap", s: "current:s", d: { through: null } });
    expect(store.state.board?.through).toBeNull();
    begun();
    streams.heard({ t: "patch", s: "current:s", d: { through: "2026-11-11T00:05:00Z" } });
    streams.heard({ t: "patch", s: "board:s", d: rawTotals() });
    clock.advance(TOGETHER_MS);

    expect(store.state.board?.through).toBe(Date.parse("2026-11-11T00:05:00Z"));
    expect(store.state.board?.status).toBe("live");
  });

  it("does without where the gateway is of an older release", () => {
    oversight.board();
    begun();
    const asked = written.find((frame) => frame.s === "current:s");
    streams.heard({ t: "err", id: asked?.id as string, problem: { code: "bad_stream" } });

    expect(store.state.board).toMatchObject({ status: "live", through: null });
  });

  it("counts alerts, which are a reason to look at the lists", () => {
    oversight.board();
    streams.heard({ t: "ev", s: "board:s", type: "monitor.wording_flagged.v1", d: {} });

    expect(store.state.alerts).toBe(1);
  });
});

describe("a watched conversation", () => {
  const snap = (...items: Frame[]): Frame => ({ t: "snap", s: "conv:c1", position: [1, 1], d: { conversation: ROW, items } });

  it("shows what was said and what is said now, each once, and writes nothing that others see", () => {
    oversight.watch("c1");
    streams.heard(snap(said("m1", 1, "在吗")));
    streams.heard(said("m2", 2, "在的", "agent"));
    streams.heard(said("m2", 2, "在的", "agent"));

    expect(store.state.watched.c1?.buyer).toBe("王小明");
    expect(store.state.watched.c1?.items.map((item) => item.text)).toEqual(["在吗", "在的"]);
    expect(written.map((frame) => frame.t)).toEqual(["sub"]);
  });

  it("goes on over a lost connection from where it stood", () => {
    oversight.watch("c1");
    streams.heard(snap(said("m1", 1, "在吗")));

    streams.cut(1006);
    streams.connected();

    expect(written.at(-1)).toMatchObject({ t: "sub", s: "conv:c1", position: [1, 1] });
    expect(store.state.watched.c1?.items).toHaveLength(1);
  });

  it("shows how far the buyer has read, whoever else reads it", () => {
    oversight.watch("c1");
    streams.heard(snap(said("m1", 1, "在吗")));
    streams.heard({ t: "patch", s: "conv:c1", d: { read: { person_id: "a7", position: [1, 9] } } });
    expect(store.state.watched.c1?.readUpTo).toBeNull();

    streams.heard({ t: "patch", s: "conv:c1", d: { read: { person_id: "b", position: [1, 1] } } });

    expect(store.state.watched.c1?.readUpTo).toEqual([1, 1]);
  });

  it("knows how far the buyer had read before one looked", () => {
    oversight.watch("c1");
    const first = snap(said("m1", 1, "在吗"));

    streams.heard({ ...first, d: { ...first.d, read: { buyer: [1, 1], owner: [1, 9] } } });

    expect(store.state.watched.c1?.readUpTo).toEqual([1, 1]);
  });

  it("is let go when nobody looks any more", () => {
    oversight.watch("c1");
    streams.heard(snap());
    clock.advance(LOOK_MS);

    expect(wrote("unsub", "conv:c1")).toBe(1);
    expect(store.state.watched).toEqual({});
  });

  it("goes to the desk when it became one's own", () => {
    oversight.watch("c1");
    streams.heard(snap());
    store.change({ conversations: { c1: described(undefined, ROW) } });

    streams.heard(said("m1", 2, "在吗"));

    expect(own).toEqual(["c1"]);
    expect(store.state.watched).toEqual({});
    expect(wrote("unsub", "conv:c1")).toBe(1);
    oversight.watch("c1");
    expect(wrote("sub", "conv:c1")).toBe(1);
  });

  it("is marked where it is not for this person", () => {
    oversight.watch("c1");
    streams.heard({ t: "err", id: written[0]?.id as string, problem: { code: "not_found" } });

    expect(store.state.watched).toEqual({ c1: null });
  });
});

describe("a board as it is read", () => {
  it("has instants for waits, the exact one where it is known", () => {
    const board = boardOf(
      rawBoard({
        waiting: 2,
        waiting_longest: [{ conversation_id: "c1", agent_id: "a1", waiting_since: "2026-11-11T00:00:00Z" }],
        agents: [rawTile({ agent_id: "a1", longest_wait_ms: 59_000 }), rawTile({ agent_id: "a2", longest_wait_ms: 10_000 }), rawTile({ agent_id: "a3" })],
      }),
    );

    expect(board.waitingSince).toBe(Date.parse("2026-11-11T00:00:00Z"));
    expect(board.agents.map((one) => one.waitingSince)).toEqual([board.waitingSince, Date.parse("2026-11-11T00:00:50Z"), null]);
  });

  it("has no longest wait where nobody waits", () => {
    expect(boardOf(rawBoard({ longest_wait_ms: 0 })).waitingSince).toBeNull();
  });
});
