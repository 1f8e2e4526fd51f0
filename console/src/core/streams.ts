/**
 * All streams of one connection: each is asked for when the connection is there, again when it came
 * back or was refused for the moment, and its frames go to who follows it. Knows no socket.
 */

import type { Clock } from "./clock.ts";
import type { Frame, Outgoing } from "./frames.ts";
import { Stream, type Outcomes } from "./stream.ts";
import type { Hit } from "./types.ts";

const RETRY_MS = 2_000;
/** Close code: a position that was never given out. Coming back with it would end the same way. */
const BAD_POSITION = 4004;
/** A `sub` refused by one of these will always be; any other refusal passes. */
const HOPELESS = ["forbidden", "not_found", "bad_stream"];

/** Who reads a stream. */
export interface Follower {
  /** A `snap`, `ev` or `patch` came. */
  heard(stream: Stream, frame: Frame): void;
  /** The server follows it; `granted` is what its answer says. */
  joined?(stream: Stream, granted: Record<string, unknown>): void;
  /** It will never be followed, by the code why. */
  refused?(stream: Stream, code: string): void;
}

interface Followed {
  stream: Stream;
  follower: Follower;
}

export class Streams {
  private readonly followed = new Map<string, Followed>();
  private readonly asked = new Map<string, Followed>();
  private isConnected = false;
  private sequence = 0;

  constructor(
    /** Write a frame; without a connection it is dropped. */
    readonly write: (frame: Outgoing) => void,
    private readonly clock: Clock,
    private readonly outcomes: Outcomes,
  ) {}

  /** Return every stream that is followed, or wanted. */
  *all(): Iterable<Stream> {
    for (const { stream } of this.followed.values()) yield stream;
  }

  get(name: string): Stream | undefined {
    return this.followed.get(name)?.stream;
  }

  /** Return the stream of a name, asked for now or as soon as there is a connection. */
  follow(name: string, follower: Follower): Stream {
    const known = this.followed.get(name);
    if (known !== undefined) return known.stream;
    const stream = new Stream(name, (frame) => this.write(frame), this.clock, this.outcomes);
    const made = { stream, follower };
    this.followed.set(name, made);
    if (this.isConnected) this.join(made);
    return stream;
  }

  /** Let a stream go; false if nobody followed it, or, where a follower is named, somebody else does. */
  leave(name: string, follower?: Follower): boolean {
    if (follower !== undefined && this.followed.get(name)?.follower !== follower) return false;
    const isKnown = this.followed.delete(name);
    if (isKnown) this.unsubscribe(name);
    return isKnown;
  }

  /** Begin a followed stream anew, with a snapshot, whatever is known of it. */
  restart(name: string): void {
    const known = this.followed.get(name);
    if (known === undefined) return;
    this.unsubscribe(name);
    this.again(known);
  }

  connected(): void {
    this.isConnected = true;
    for (const one of this.followed.values()) this.join(one);
  }

  /** The connection ended with this code. */
  cut(code: number): void {
    this.isConnected = false;
    this.asked.clear();
    for (const { stream } of this.followed.values()) {
      stream.cut();
      if (code === BAD_POSITION) stream.position = null;
    }
  }

  clear(): void {
    this.isConnected = false;
    this.followed.clear();
    this.asked.clear();
  }

  heard(frame: Frame): void {
    const known = this.followed.get(frame.s ?? "");
    if (frame.t === "ok" || frame.t === "err") this.answered(frame);
    else if (known === undefined) return;
    else if (frame.t === "resync") this.again(known);
    else known.follower.heard(known.stream, frame);
  }

  private answered(frame: Frame): void {
    const one = this.asked.get(frame.id ?? "");
    if (one === undefined) {
      // Its event may have come first, and then no stream waits for the answer any more.
      const { client_id: id, warnings } = frame.d ?? {};
      if (typeof id === "string" && Array.isArray(warnings)) this.outcomes.warned?.(id, warnings as Hit[]);
      for (const { stream } of this.followed.values()) if (stream.answered(frame)) return;
      return;
    }
    this.asked.delete(frame.id ?? "");
    const code = frame.problem?.code ?? "";
    if (frame.t === "ok") {
      one.follower.joined?.(one.stream, frame.d ?? {});
      one.stream.joined();
    } else if (code === "already_subscribed") {
      // A second `sub` is refused as long as the first stands.
      this.unsubscribe(one.stream.name);
      this.again(one);
    } else if (HOPELESS.includes(code)) {
      one.follower.refused?.(one.stream, code);
    } else {
      this.clock.after(frame.problem?.retry_after_ms ?? RETRY_MS, () => this.joinLate(one));
    }
  }

  private join(one: Followed): void {
    for (const [earlier, asked] of this.asked) if (asked === one) this.asked.delete(earlier);
    const id = this.nextId();
    this.asked.set(id, one);
    this.write({ ...one.stream.subscribeFrame(), id });
  }

  /** Ask again for a stream, unless a new connection did so meanwhile, or nobody wants it any more. */
  private joinLate(one: Followed): void {
    const isAsked = [...this.asked.values()].includes(one);
    const isWanted = this.followed.get(one.stream.name) === one;
    if (isWanted && !one.stream.live && !isAsked && this.isConnected) this.join(one);
  }

  private again(one: Followed): void {
    one.stream.position = null;
    one.stream.live = false;
    this.join(one);
  }

  private unsubscribe(name: string): void {
    this.write({ t: "unsub", id: this.nextId(), s: name });
  }

  private nextId(): string {
    return `r${(this.sequence += 1)}`;
  }
}
