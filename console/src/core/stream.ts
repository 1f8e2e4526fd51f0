/**
 * One subscription across reconnects: its position, the ids it has seen, and what was sent on it and
 * is not answered. Knows frames; must not know sockets, and what is shown.
 */

import type { Clock } from "./clock.ts";
import { compare, type Frame, type Outgoing, type Refused } from "./frames.ts";
import { bodyOf } from "./noting.ts";
import type { Hit, Pending, Position } from "./types.ts";

const SEEN = 4096;
const RESEND_MS = 2_000;
/** A resend comes up to a quarter later than told, so that many do not come at once. */
const LATE = 0.25;
/** Nothing older is sent by itself. */
export const TOO_OLD_MS = 600_000;

/** What became of a send, for its owner. */
export interface Outcomes {
  changed(pending: Pending): void;
  delivered(pending: Pending): void;
  refused(pending: Pending, problem: Refused): void;
  /** A message is in the log, and this was found in it. */
  warned?(id: string, hits: readonly Hit[]): void;
}

export class Stream {
  position: Position | null = null;
  live = false;
  private readonly seen = new Set<string>();
  private readonly pending = new Map<string, Pending>();
  private cancel: (() => void) | null = null;
  /** The oldest goes alone after a refusal: the others would be refused with it. */
  private probe: string | null = null;
  /** What is on its way for the first time: if that try was not looked at, there was none. */
  private readonly first = new Set<string>();

  constructor(
    readonly name: string,
    private readonly write: (frame: Outgoing) => void,
    private readonly clock: Clock,
    private readonly outcomes: Outcomes,
  ) {}

  subscribeFrame(): Outgoing {
    return { t: "sub", s: this.name, ...(this.position === null ? {} : { position: this.position }) };
  }

  /** Take an event; false when its id was seen and it must not be shown again. */
  isNew(frame: Frame): boolean {
    this.advance(frame.position);
    if (frame.id === undefined) return true;
    if (this.seen.has(frame.id)) return false;
    this.seen.add(frame.id);
    if (this.seen.size > SEEN) this.seen.delete(this.seen.values().next().value as string);
    return true;
  }

  advance(position: Position | undefined): void {
    if (position !== undefined && (this.position === null || compare(position, this.position) > 0)) this.position = position;
  }

  /** The server follows this stream again: everything unanswered goes out, oldest first. */
  joined(): void {
    this.live = true;
    this.resend();
  }

  /** The connection is gone. */
  cut(): void {
    this.live = false;
    this.stopWaiting();
    for (const one of this.pending.values()) this.show(one, one.written ? "unknown" : "queued");
  }

  send(pending: Pending): void {
    this.pending.set(pending.id, pending);
    this.clock.after(Math.max(0, pending.firstTriedAt + TOO_OLD_MS + 1 - this.clock.now()), () => {
      if (this.pending.get(pending.id) === pending) this.giveUp(pending);
    });
    if (this.live && this.cancel === null && this.probe === null) this.put(pending);
  }

  /** Tell whether a send is unanswered here. */
  has(id: string): boolean {
    return this.pending.has(id);
  }

  discard(id: string): void {
    this.first.delete(id);
    this.pending.delete(id);
    if (this.probe === id) this.resend();
  }

  /** Take the answer to a send; false when it is not one of this stream's. */
  answered(frame: Frame): boolean {
    const pending = this.pending.get(frame.id ?? "");
    if (pending === undefined) return false;
    const problem = frame.problem;
    if (frame.t === "err" && problem !== undefined && ["retry", "rate_limited", "not_subscribed"].includes(problem.code)) {
      this.later(pending, problem);
      return true;
    }
    this.discard(pending.id);
    if (frame.t === "ok") this.outcomes.delivered(pending);
    else this.outcomes.refused(pending, problem ?? { code: "unknown" });
    return true;
  }

  /** The server never follows this stream: what waits to be sent on it has an answer. */
  refuse(code: string): void {
    for (const one of [...this.pending.values()]) {
      this.discard(one.id);
      this.outcomes.refused(one, { code });
    }
  }

  private resend(): void {
    this.stopWaiting();
    if (!this.live) return;
    for (const one of this.pending.values()) this.put(one);
  }

  private put(pending: Pending): void {
    if (this.clock.now() - pending.firstTriedAt > TOO_OLD_MS) {
      this.giveUp(pending);
      return;
    }
    const again = pending.written ? { again: true } : {};
    const { confirm, reason } = pending;
    const meant = confirm === undefined ? {} : { confirm, ...(reason === undefined ? {} : { reason }) };
    if (pending.written) this.first.delete(pending.id);
    else this.first.add(pending.id);
    pending.written = true;
    this.show(pending, pending.state === "unknown" ? "unknown" : "sending");
    this.write({ t: "send", id: pending.id, s: this.name, ...bodyOf(pending), ...again, ...meant });
    this.clock.after(RESEND_MS, () => {
      if (this.pending.get(pending.id) === pending && pending.state === "sending") this.show(pending, "unknown");
    });
  }

  /** It is too old to be sent by itself; what waited behind it goes on. */
  private giveUp(pending: Pending): void {
    this.show(pending, "failed");
    this.discard(pending.id);
  }

  private later(pending: Pending, problem: Refused): void {
    if (this.first.delete(pending.id) && problem.taken === false) pending.written = false;
    if (this.cancel !== null || (this.probe !== null && this.probe !== pending.id)) return;
    this.probe = null;
    this.show(pending, "unknown");
    const wait = (problem.retry_after_ms ?? RESEND_MS) * (1 + LATE * this.clock.random());
    this.cancel = this.clock.after(wait, () => {
      this.cancel = null;
      const oldest = this.pending.values().next().value;
      if (!this.live || oldest === undefined) return;
      this.probe = oldest.id;
      this.put(oldest);
    });
  }

  private show(pending: Pending, state: Pending["state"]): void {
    if (pending.state === state && state !== "sending") return;
    pending.state = state;
    this.outcomes.changed(pending);
  }

  private stopWaiting(): void {
    this.probe = null;
    this.cancel?.();
    this.cancel = null;
  }
}
