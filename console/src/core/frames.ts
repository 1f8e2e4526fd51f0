/** Frames of `peakdesk.v1` as far as a desk reads them; docs/protocol.md is the referee. */

import { cardIn } from "./cards.ts";
import { NOTE } from "./noting.ts";
import type { Hit, Item, Position, Speaker, Told } from "./types.ts";

export interface Refused {
  code: string;
  title?: string;
  retry_after_ms?: number;
  taken?: boolean;
  hits?: readonly Hit[];
  /** Beside the code `confirm`: the signature that lets the same words pass. */
  confirm?: string;
  /** Beside `blocked` and `confirm`: under which id what was held is kept. An older gateway names none. */
  incident_id?: string;
}

/** Any frame of the server; which fields it has depends on `t`. */
export interface Frame {
  t: string;
  s?: string;
  /** In `patch`: of which row of the stream. */
  k?: string;
  id?: string;
  position?: Position;
  type?: string;
  time?: string;
  not_owner?: boolean;
  late?: boolean;
  server_time?: string;
  /** In `ready`: how much of the burst may be sent at once; all of a person's sockets share it. */
  frames_left?: number;
  reconnect_after_ms?: number;
  problem?: Refused;
  d?: Record<string, unknown>;
}

export type Outgoing = Record<string, unknown> & { t: string };

/** Return the entry of a thread that an event is, or null for what no thread shows. */
export function itemOf(frame: Frame): Item | null {
  if (frame.id === undefined || frame.position === undefined || frame.d === undefined) return null;
  const body = frame.d;
  const said = (body.d ?? {}) as Record<string, unknown>;
  const isNote = frame.type === NOTE;
  return {
    id: frame.id,
    position: frame.position,
    at: Date.parse(frame.time ?? ""),
    type: frame.type ?? "",
    by: (body.sender_kind as Speaker | undefined) ?? (isNote ? "agent" : "system"),
    senderId: senderOf(frame),
    clientId: (body.client_id as string | undefined) ?? null,
    ...(frame.not_owner === true ? { notOwner: true } : {}),
    ...(frame.late === true ? { late: true } : {}),
    ...toldIn(frame),
    ...saidIn(said, words(isNote ? body.text : body.note)),
    ...carded(body),
    ...(isNote ? { note: { author: words(body.author_name), to: words(body.to) || null } } : {}),
  };
}

/** Pictures that the platform keeps; of other hosts the address is shown and nothing is asked. */
const KEPT = /^\/v1\/images\/[0-9a-f-]{36}\/[0-9a-f-]{36}$/;

function saidIn(said: Record<string, unknown>, otherwise: string): Pick<Item, "text" | "image"> {
  const url = words(said.url);
  if (url === "") return { text: words(said.text) || otherwise };
  if (KEPT.test(url)) return { text: words(said.alt), image: url };
  return { text: [words(said.text), words(said.alt), url].filter(Boolean).join("\n") };
}

function carded(body: Record<string, unknown>): Pick<Item, "card"> {
  const card = body.kind === "card" ? cardIn(body.d) : null;
  return card === null ? {} : { card };
}

/** Whose message or note an event is. */
export function senderOf(frame: Frame): string {
  return String(frame.d?.sender_id ?? frame.d?.author_id ?? "");
}

/** How far a conversation was read, as its snapshot says; an older gateway says nothing of it. */
export function readIn(snap: Frame): { buyer: Position | null; owner: Position | null } {
  const read = (snap.d?.read ?? {}) as { buyer?: Position | null; owner?: Position | null };
  return { buyer: read.buyer ?? null, owner: read.owner ?? null };
}

/** Return the time in ms, or null for what is none. */
export function momentOf(value: unknown): number | null {
  const moment = typeof value === "string" ? Date.parse(value) : NaN;
  return Number.isNaN(moment) ? null : moment;
}

/** What the buyer's clock needs to know beside who spoke. */
function toldIn(frame: Frame): Pick<Item, "told"> {
  const body = frame.d ?? {};
  const since = momentOf(frame.type === "conversation.contacted.v1" ? body.received_at : body.waiting_since);
  const told = {
    ...(typeof body.version === "number" ? { version: body.version } : {}),
    ...(typeof body.assignment_version === "number" ? { seat: body.assignment_version } : {}),
    ...(since === null ? {} : { since }),
    ...(frame.type === "conversation.late_message.v1" ? { about: String(body.message_id) } : {}),
    ...(body.sweep === "idle" ? { isIdle: true as const } : {}),
    ...handedIn(frame.type, body),
  };
  return Object.keys(told).length === 0 ? {} : { told };
}

/** Whose the conversation is from now on, where the event says so. */
function handedIn(type: string | undefined, body: Record<string, unknown>): Pick<Told, "handed"> {
  const one = (value: unknown) => (typeof value === "string" ? value : null);
  if (type === "conversation.assigned.v1") {
    const isTaken = body.reason === "taken";
    return { handed: { from: null, to: one(body.agent_id), by: isTaken ? one(body.agent_id) : null, group: words(body.skill_group_id), isTaken } };
  }
  if (type !== "conversation.transferred.v1") return {};
  const [to, by] = [one(body.to_agent_id), one(body.by)];
  return { handed: { from: one(body.from_agent_id), to, by, group: words(body.to_skill_group_id), isTaken: to !== null && to === by } };
}

function words(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Compare two places in the log. */
export function compare(a: Position, b: Position): number {
  return a[0] - b[0] || a[1] - b[1];
}
