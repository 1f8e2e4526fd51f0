/** A platform for tests of the desk: the gateway's end of sockets, REST answers, and time that is told. */

import "fake-indexeddb/auto";

import { afterEach, beforeEach, vi } from "vitest";

import type { Dial } from "@/core/connection.ts";
import { Desk } from "@/core/desk.ts";
import type { Frame, Outgoing } from "@/core/frames.ts";

import { ManualClock } from "./time.ts";

export const CONVERSATION = "0190-c";
export const LEVELS = { first: [10, 20, 30], later: [20, 100, 180] };

/** What the platform answers; each test begins with the same. */
export const world = {
  clock: new ManualClock(),
  person: "me",
  /** One's own state, as the platform has it. */
  state: "online",
  isAway: false,
  /** Whether the slot's cookie renews a session. */
  hasSession: true,
  levels: LEVELS as unknown,
  /** What the served page's ETag is. */
  served: '"one"',
  /** Pages of the history, by the cursor that asks for them. */
  pages: {} as Record<string, { items: unknown[]; next_cursor: string | null }>,
  /** How far the conversation was read, as its snapshot says; null: an older gateway, which does not. */
  read: null as { buyer: [number, number] | null; owner: [number, number] | null } | null,
  /** What is told of a conversation by its id. */
  facts: {} as Record<string, unknown>,
  /** Whether an answer waits until it is let go. */
  held: null as (() => void)[] | null,
};

/** The gateway's end of one socket. */
export class Line {
  static readonly all: Line[] = [];
  readonly heard: Outgoing[] = [];
  isClosed = false;

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
      else this.tell({ t: "snap", s: sub.s as string, position: [1, 1], d: { conversation: ROW, items: [ASKED], ...(world.read === null ? {} : { read: world.read }) } });
      this.tell({ t: "ok", id: sub.id as string, d: { may_send: true } });
    }
    if (this.heard.some((frame) => frame.t === "sub")) this.grant();
  }

  get sends(): Outgoing[] {
    return this.heard.filter((frame) => frame.t === "send");
  }
}

export const ROW = { id: CONVERSATION, buyer_id: "b", buyer: { id: "b", name: "王小明" }, agent_id: "me", state: "active", version: 5 };
export const ASKED = {
  t: "ev",
  id: "m1",
  position: [1, 1],
  type: "chat.message.v1",
  time: "2026-11-11T00:00:00Z",
  d: { sender_kind: "buyer", sender_id: "b", client_id: "k1", d: { text: "在吗" } },
};

export const dial: Dial = (events) => {
  const line = new Line(events);
  return { send: (text) => line.heard.push(JSON.parse(text) as Outgoing), close: () => (line.isClosed = true) };
};

export function desk(slot: number): Desk {
  return new Desk(slot, dial, world.clock, () => undefined, "worker-1");
}

/** Let what was promised happen; time stands still meanwhile. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve));
}

export async function signedIn(slot: number): Promise<[Desk, Line]> {
  const made = desk(slot);
  await made.start();
  const line = Line.all.at(-1) as Line;
  line.greet();
  return [made, line];
}

/** An event of the conversation, as the gateway tells it. */
export function told(offset: number, type: string, d: Record<string, unknown>, s = `conv:${CONVERSATION}`): Frame {
  return { t: "ev", s, id: `m${offset}`, position: [1, offset], type, time: new Date(Date.parse(ASKED.time) + offset * 1_000).toISOString(), d };
}

/** A word of the buyer, or of an agent. */
export function said(offset: number, by: "buyer" | "agent" = "buyer", who = "b"): Frame {
  return told(offset, "chat.message.v1", { sender_kind: by, sender_id: who, client_id: `k${offset}`, d: { text: `${offset}` } });
}

function facts(): Response {
  const known = { profiles: [{ name: "other", levels: null }, { name: "jd_2021", levels: world.levels }], levels_profile: "jd_2021" };
  return new Response(JSON.stringify(known), { status: world.levels === null ? 503 : 200 });
}

function session(): Response {
  const expires = new Date(world.clock.now() + 900_000).toISOString();
  return new Response(JSON.stringify({ token: "t", expires_at: expires, person: { id: world.person, role: "agent", shop_id: "s", name: "小陈" } }));
}

/** What the slot's cookie is good for: a sign-in replaces it, a sign-out ends it. */
function slot(method: string, isRenewal: boolean): Response {
  if (method === "POST" && !isRenewal) world.hasSession = true;
  if (!world.hasSession) return new Response(JSON.stringify({ code: "signed_out", title: "" }), { status: 401 });
  if (method !== "DELETE") return session();
  world.hasSession = false;
  return new Response(null, { status: 204 });
}

async function answer(path: string, { method = "GET" }: RequestInit = {}): Promise<Response> {
  if (world.held !== null) await new Promise<void>((resolve) => world.held?.push(resolve));
  const url = new URL(path, "http://gateway");
  if (url.pathname === "/") return new Response(null, { headers: { etag: world.served } });
  if (url.pathname === "/v1/console") return facts();
  if (world.isAway) return new Response("{}", { status: 503 });
  if (/^\/v1\/conversations\/[^/]+$/.test(url.pathname)) return new Response(JSON.stringify(world.facts));
  if (url.pathname.endsWith("/messages")) return new Response(JSON.stringify(world.pages[url.searchParams.get("cursor") ?? ""]));
  if (url.pathname.startsWith("/v1/sessions/slots/")) return slot(method, url.pathname.endsWith("/refresh"));
  return new Response(JSON.stringify({ state: world.state }));
}

beforeEach(() => {
  Object.assign(world, { clock: new ManualClock(), person: "me", state: "online", isAway: false, hasSession: true, levels: LEVELS, served: '"one"', pages: {}, read: null, facts: {}, held: null });
  Line.all.length = 0;
  vi.stubGlobal("fetch", answer);
});
afterEach(() => vi.unstubAllGlobals());
