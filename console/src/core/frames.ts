/** Frames of `peakdesk.v1` as far as a desk reads them; docs/protocol.md is the referee. */

import type { Hit, Item, Position, Speaker } from "./types.ts";

export interface Refused {
  code: string;
  title?: string;
  retry_after_ms?: number;
  taken?: boolean;
  hits?: readonly Hit[];
}

/** Any frame of the server; which fields it has depends on `t`. */
export interface Frame {
  t: string;
  s?: string;
  id?: string;
  position?: Position;
  type?: string;
  time?: string;
  not_owner?: boolean;
  server_time?: string;
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
  return {
    id: frame.id,
    position: frame.position,
    at: Date.parse(frame.time ?? ""),
    type: frame.type ?? "",
    by: (body.sender_kind as Speaker | undefined) ?? "system",
    senderId: String(body.sender_id ?? ""),
    clientId: (body.client_id as string | undefined) ?? null,
    ...(frame.not_owner === true ? { notOwner: true } : {}),
    text: words(said.text) || words(body.note),
  };
}

function words(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Compare two places in the log. */
export function compare(a: Position, b: Position): number {
  return a[0] - b[0] || a[1] - b[1];
}
