import "fake-indexeddb/auto";

import { beforeEach, describe, expect, it, vi } from "vitest";

import type { Dial } from "@/core/connection.ts";
import type { Frame, Outgoing } from "@/core/frames.ts";
import { Visit, type Memory } from "@/core/visit.ts";
import { lookAfterMs, standingOf, type Served } from "@/core/visits.ts";

import { ManualClock } from "./time.ts";

const QUEUED: Served = { id: "c1", state: "queued", version: 1, agent: null, ahead: 3, score: null };
const CLOSED: Served = { ...QUEUED, state: "closed", version: 4, ahead: null };

/** The gateway's end of one socket: greets, and grants every subscription. */
class Wire {
  static readonly all: Wire[] = [];
  readonly sends: Outgoing[] = [];

  constructor(readonly events: Parameters<Dial>[0]) {
    Wire.all.push(this);
    queueMicrotask(() => events.opened());
  }

  take(frame: Outgoing): void {
    if (frame.t === "hello") this.tell({ t: "ready", server_time: "2026-11-11T00:00:00Z" });
    else if (frame.t === "sub") this.grant(String(frame.s), String(frame.id));
    else if (frame.t === "send") this.sends.push(frame);
  }

  tell(frame: Frame): void {
    queueMicrotask(() => this.events.said(JSON.stringify(frame)));
  }

  private grant(s: string, id: string): void {
    this.tell({ t: "snap", s, position: [1, 1], d: { conversation: { id: s.slice(5) }, items: [], read: { buyer: null, owner: [1, 1] } } });
    this.tell({ t: "ok", id, d: { may_send: true } });
  }
}

const dial: Dial = (events) => {
  const wire = new Wire(events);
  return { send: (text) => wire.take(JSON.parse(text) as Outgoing), close: () => undefined };
};

let clock: ManualClock;
let shop = 0;
let asked: string[];
const sentFiles: Blob[] = [];
let answers: Record<string, () => [number, unknown]>;
const SIGNED = { token: "token", expires_at: "2099-01-01T00:00:00Z", person: { id: "b", role: "buyer", shop_id: "s", name: "" } };

function visit(memory: Memory = { wasHere: false }, topic: string | null = null): Visit {
  return new Visit({ shop: `shop${shop}`, topic, memory, alone: (work) => work() }, dial, clock, () => undefined, "page");
}

const sent = () => Wire.all.flatMap((wire) => wire.sends).map((frame) => [frame.s, (frame.d as { text: string }).text]);
const settled = (check: () => void) => vi.waitFor(check);

beforeEach(() => {
  clock = new ManualClock();
  Wire.all.length = 0;
  shop += 1;
  asked = [];
  answers = {
    "POST /v1/sessions/slots/w/refresh": () => [401, { code: "signed_out", title: "" }],
    "POST /v1/sessions/slots/w": () => [201, SIGNED],
    "GET /v1/conversations?limit=1": () => [200, { items: [] }],
    "POST /v1/conversations": () => [201, QUEUED],
    "GET /v1/conversations/c1": () => [200, QUEUED],
    "GET /v1/conversations/c2": () => [200, { ...QUEUED, id: "c2" }],
  };
  vi.stubGlobal("fetch", (path: string, request: RequestInit) => {
    if (request.body instanceof Blob) sentFiles.push(request.body);
    const name = `${request.method} ${path.replace(`w${`shop${shop}`}`, "w")}`;
    asked.push(name);
    const [status, body] = answers[name]?.() ?? [404, { code: "not_found", title: "" }];
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
});

describe("a visit", () => {
  it("asks nothing of the platform until the first key", async () => {
    await visit().start();

    expect(asked).toEqual([]);
    expect(Wire.all).toEqual([]);
  });

  it("begins a session with the first key and no conversation", async () => {
    const here: Memory = { wasHere: false };
    const made = visit(here);
    await made.start();
    await made.draft("在");
    await settled(() => expect(Wire.all).toHaveLength(1));

    expect(here.wasHere).toBe(true);
    expect(asked).toEqual(["POST /v1/sessions/slots/w/refresh", "POST /v1/sessions/slots/w", "GET /v1/conversations?limit=1"]);
  });

  it("begins session and conversation for a picture that comes before any words", async () => {
    const url = "/v1/images/01a22144-5810-7000-ade1-bcbd662d6f65/01a22144-59fb-7000-84ae-cdb20595f4f9";
    answers["POST /v1/conversations/c1/images"] = () => [201, { id: "i1", url, width: 1, height: 1 }];
    const made = visit();
    await made.start();
    const picture = new Blob(["x"], { type: "image/png" });

    await made.sendPicture(picture, "key");

    await settled(() => expect(Wire.all.flatMap((wire) => wire.sends)).toMatchObject([{ s: "conv:c1", kind: "image", d: { url } }]));
    expect(sentFiles).toEqual([picture]);
    expect(made.visited.outbox).toMatchObject([{ image: url }]);
  });

  it("goes on with the session of another tab", async () => {
    answers["POST /v1/sessions/slots/w/refresh"] = () => [200, SIGNED];
    const made = visit({ wasHere: true });
    await made.start();

    expect(asked).not.toContain("POST /v1/sessions/slots/w");
    expect(made.visited.me).toBe("b");
  });

  it.each([true, null])("begins none by looking, where the one before is over or nothing is remembered", async (wasHere) => {
    await visit({ wasHere }).start();

    expect(asked).toEqual(["POST /v1/sessions/slots/w/refresh"]);
    expect(Wire.all).toEqual([]);
  });

  it("begins one with a key that is pressed while the one before is asked for", async () => {
    const made = visit({ wasHere: true });
    const started = made.start();
    await made.draft("在");
    await started;

    await settled(() => expect(made.visited.me).toBe("b"));
    expect(asked.filter((name) => name === "POST /v1/sessions/slots/w")).toHaveLength(1);
  });

  it("opens the conversation with the first words, and says them in order", async () => {
    const made = visit();
    await made.start();
    await made.send("在吗");
    await made.send("有货吗");

    await settled(() => expect(sent()).toEqual([["conv:c1", "在吗"], ["conv:c1", "有货吗"]]));
    expect(made.visited.standing?.ahead).toBe(3);
    expect(made.visited.conversation?.readUpTo).toEqual([1, 1]);
    expect(asked.filter((name) => name === "POST /v1/conversations")).toHaveLength(1);
  });

  it("keeps what was written and unsent over a reload, and says it then", async () => {
    answers["POST /v1/sessions/slots/w"] = () => [503, { code: "unavailable", title: "" }];
    const before = visit();
    await before.start();
    await before.send("在吗");
    await before.draft("还没写完");
    answers["POST /v1/sessions/slots/w"] = () => [201, SIGNED];

    const after = visit();
    await after.start();

    expect(after.visited.draft).toBe("还没写完");
    await settled(() => expect(sent()).toEqual([["conv:c1", "在吗"]]));
  });

  it("tries again for as long as the platform is away", async () => {
    let isAway = true;
    answers["POST /v1/conversations"] = () => (isAway ? [503, { code: "unavailable", title: "" }] : [201, QUEUED]);
    const made = visit();
    await made.start();
    await made.send("在吗");
    await settled(() => expect(asked).toContain("POST /v1/conversations"));
    expect(made.visited.outbox[0]?.state).toBe("queued");

    isAway = false;
    await settled(() => {
      clock.advance(2_000);
      expect(sent()).toEqual([["conv:c1", "在吗"]]);
    });
  });

  it("asks for its topic, and without it where the shop has no such group", async () => {
    const bodies: unknown[] = [];
    const first = vi.mocked(fetch);
    vi.stubGlobal("fetch", (path: string, request: RequestInit) => {
      if (path === "/v1/conversations") {
        bodies.push(JSON.parse(String(request.body)));
        if (bodies.length === 1) return Promise.resolve(new Response(JSON.stringify({ code: "unprocessable" }), { status: 422 }));
      }
      return first(path, request);
    });
    const made = visit({ wasHere: false }, "pre_sale");
    await made.start();
    await made.send("在吗");

    await settled(() => expect(sent()).toHaveLength(1));
    expect(bodies).toEqual([{ topic: "pre_sale" }, {}]);
  });

  it("shows what was closed, and says the next words where the buyer is served then", async () => {
    answers["POST /v1/sessions/slots/w/refresh"] = () => [200, SIGNED];
    answers["GET /v1/conversations?limit=1"] = () => [200, { items: [CLOSED] }];
    answers["GET /v1/conversations/c1"] = () => [200, CLOSED];
    answers["POST /v1/conversations"] = () => [201, { ...QUEUED, id: "c2" }];
    const made = visit({ wasHere: true });
    await made.start();
    await settled(() => expect(made.visited.standing?.state).toBe("closed"));
    expect(asked).not.toContain("POST /v1/conversations");

    await made.send("还有一件事");

    await settled(() => expect(sent()).toEqual([["conv:c2", "还有一件事"]]));
  });

  it("says what failed where the buyer is served now, though what it was written in is closed", async () => {
    const made = visit();
    await made.start();
    await made.send("在吗");
    await settled(() => expect(sent()).toHaveLength(1));
    Wire.all[0]?.events.closed(4505);
    answers["GET /v1/conversations/c1"] = () => [200, CLOSED];
    clock.advance(600_001);
    await settled(() => expect(made.visited.standing?.state).toBe("closed"));
    const [failed] = made.visited.outbox;
    expect(failed?.state).toBe("failed");
    answers["POST /v1/conversations"] = () => [201, { ...QUEUED, id: "c2" }];

    await made.retry(failed?.id ?? "");

    await settled(() => expect(made.visited.conversation?.id).toBe("c2"));
  });

  it("keeps what was sent and typed before it was known what had been kept", async () => {
    const made = visit();
    const started = made.start();
    const written = [made.send("在吗"), made.draft("还没写完")];
    await Promise.all([started, ...written]);

    expect(made.visited.draft).toBe("还没写完");
    await settled(() => expect(sent()).toEqual([["conv:c1", "在吗"]]));
  });

  it("knows nobody who serves him once the session ended, and begins anew with what was typed", async () => {
    const agent = { name: "小陈", online: true };
    answers["GET /v1/conversations/c1"] = () => [200, { ...QUEUED, state: "assigned", version: 2, agent, ahead: null }];
    const made = visit();
    await made.start();
    await made.send("在吗");
    await settled(() => expect(made.visited.standing?.agent).toEqual(agent));
    await made.draft("还没写完");

    await settled(() => expect(sent()).toHaveLength(1));
    const said = { sender_kind: "buyer", sender_id: "b", client_id: Wire.all[0]?.sends[0]?.id, d: { text: "在吗" } };
    Wire.all[0]?.tell({ t: "ev", s: "conv:c1", id: "m2", position: [1, 2], type: "chat.message.v1", time: "2026-11-11T00:00:00Z", d: said });
    await settled(() => expect(made.visited.outbox).toEqual([]));
    Wire.all[0]?.events.closed(4503);
    expect(made.visited).toMatchObject({ isEnded: true, standing: null, draft: "还没写完" });
    clock.advance(60_000);
    await new Promise((resolve) => setTimeout(resolve));
    expect(Wire.all).toHaveLength(1);

    answers["POST /v1/conversations"] = () => [201, { ...QUEUED, id: "c2" }];
    await made.begin();
    expect(made.visited).toMatchObject({ isEnded: false, draft: "还没写完" });
    expect(asked.filter((name) => name === "POST /v1/conversations")).toHaveLength(1);
    await made.send("还没写完");
    await settled(() => expect(sent().at(-1)).toEqual(["conv:c2", "还没写完"]));
    expect(made.visited.standing?.id).toBe("c2");
  });

  it("says once more, in the next conversation, what came too late for the last", async () => {
    const made = visit();
    await made.start();
    await made.send("在吗");
    await settled(() => expect(sent()).toHaveLength(1));
    answers["POST /v1/conversations"] = () => [201, { ...QUEUED, id: "c2" }];
    const [first] = Wire.all[0]?.sends ?? [];
    Wire.all[0]?.tell({ t: "err", id: String(first?.id), problem: { code: "conversation_closed" } });

    await settled(() => expect(sent()).toEqual([["conv:c1", "在吗"], ["conv:c2", "在吗"]]));
    expect(made.visited.draft).toBe("");
  });
});

describe("how a conversation stands", () => {
  it("never goes back to what is older", () => {
    const known = standingOf(CLOSED, null);
    expect(standingOf(QUEUED, known)).toBe(known);
    expect(standingOf({ ...QUEUED, id: "c2" }, known).state).toBe("queued");
  });

  it("is asked for seldom where many wait, and never again once it is closed", () => {
    expect(lookAfterMs(standingOf(QUEUED, null))).toBe(30_000);
    expect(lookAfterMs(standingOf({ ...QUEUED, ahead: 100 }, null))).toBe(120_000);
    expect(lookAfterMs(standingOf({ ...QUEUED, state: "assigned" }, null))).toBe(120_000);
    expect(lookAfterMs(standingOf(CLOSED, null))).toBeNull();
  });
});
