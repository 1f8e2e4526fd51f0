/**
 * The socket of one person: hello, heartbeat, pace, and coming back. Hands frames on, and must not
 * know what they mean. The transport is an argument, so that tests need no network.
 */

import type { Clock } from "./clock.ts";
import type { Frame, Outgoing } from "./frames.ts";

export const BACKOFF_MS = [500, 30_000] as const;
const HEARTBEAT_MS = 25_000;
const ANSWER_MS = 10_000;
/** Frames a second; the gateway admits 20. */
const PACE = 15;
const BURST = 16;
/** From here on a close code says that coming back is of no use. */
export const FOR_GOOD = 4500;
const EXPIRED = 4005;
const BAD_TOKEN = 4500;

export interface Wire {
  send(text: string): void;
  close(): void;
}

export type Dial = (events: { opened(): void; said(text: string): void; closed(code: number): void }) => Wire;

export interface Ears {
  ready(frame: Frame): void;
  frame(frame: Frame): void;
  lost(code: number): void;
  /** The token is used up: resolve with a fresh one. Rejects when there is no session any more. */
  renew(): Promise<string>;
  over(code: number): void;
}

export class Connection {
  private wire: Wire | null = null;
  private isReady = false;
  private stopped = false;
  private ceiling: number = BACKOFF_MS[0];
  private soon: number | null = null;
  private queue: Outgoing[] = [];
  private allowance = BURST;
  private filledAt = 0;
  private readonly timers = new Set<() => void>();
  private pausing = false;
  private end: (code: number) => void = () => undefined;
  private isAnswered = true;

  constructor(
    private readonly dial: Dial,
    private readonly clock: Clock,
    private readonly ears: Ears,
    private token: string,
    private readonly instance: string,
  ) {}

  open(): void {
    this.filledAt = this.clock.now();
    let alive = true;
    const opened = () => {
      if (alive) this.transmit({ t: "hello", v: 1, token: this.token, client: { name: "console", version: "1", instance: this.instance } });
    };
    const closed = (code: number) => {
      if (!alive) return;
      alive = false;
      this.gone(code);
    };
    this.end = closed;
    this.wire = this.dial({ opened, said: (text) => alive && this.heard(JSON.parse(text) as Frame), closed });
    this.after(ANSWER_MS, () => (this.isReady ? undefined : this.drop()));
  }

  /** Write a frame in its turn; without a connection it is dropped. */
  write(frame: Outgoing): void {
    if (!this.isReady) return;
    this.queue.push(frame);
    this.flush();
  }

  /** Go on with a fresh token, on this connection and on later ones. */
  fresh(token: string): void {
    this.token = token;
    this.write({ t: "token", token });
  }

  stop(): void {
    this.stopped = true;
    this.clear();
    this.wire?.close();
  }

  /** Give the connection up without waiting for the other side: it may not be there. */
  private drop(): void {
    this.wire?.close();
    this.end(1006);
  }

  private heard(frame: Frame): void {
    this.isAnswered = true;
    if (frame.t === "ready") {
      this.isReady = true;
      this.ceiling = BACKOFF_MS[0];
      this.allowance = Math.min(BURST, frame.frames_left ?? BURST);
      this.filledAt = this.clock.now();
      this.beat();
      this.ears.ready(frame);
    } else if (frame.t === "goaway") {
      this.soon = 0;
      this.after(frame.reconnect_after_ms ?? 0, () => this.wire?.close());
    } else {
      this.ears.frame(frame);
    }
  }

  private beat(): void {
    const wait = HEARTBEAT_MS * (0.8 + 0.4 * this.clock.random());
    this.after(wait, () => {
      this.isAnswered = false;
      this.write({ t: "ping", ts: this.clock.now() });
      this.after(ANSWER_MS, () => (this.isAnswered ? undefined : this.drop()));
      this.beat();
    });
  }

  private gone(code: number): void {
    this.clear();
    this.isReady = false;
    this.queue = [];
    this.wire = null;
    if (this.stopped) return;
    this.ears.lost(code);
    if (code === EXPIRED || code === BAD_TOKEN) void this.renewed(code);
    else if (code >= FOR_GOOD) this.ears.over(code);
    else this.comeBack();
  }

  private async renewed(code: number): Promise<void> {
    try {
      this.token = await this.ears.renew();
      this.comeBack();
    } catch {
      if (!this.stopped) this.ears.over(code);
    }
  }

  private comeBack(): void {
    if (this.stopped) return;
    const wait = this.soon ?? this.clock.random() * this.ceiling;
    this.soon = null;
    this.ceiling = Math.min(BACKOFF_MS[1], this.ceiling * 2);
    this.after(wait, () => this.open());
  }

  private flush(): void {
    const now = this.clock.now();
    this.allowance = Math.min(BURST, this.allowance + ((now - this.filledAt) * PACE) / 1_000);
    this.filledAt = now;
    while (this.allowance >= 1 && this.queue.length > 0) {
      this.allowance -= 1;
      this.transmit(this.queue.shift() as Outgoing);
    }
    if (this.queue.length === 0 || this.pausing) return;
    this.pausing = true;
    this.after(1_000 / PACE, () => {
      this.pausing = false;
      this.flush();
    });
  }

  private transmit(frame: Outgoing): void {
    this.wire?.send(JSON.stringify(frame));
  }

  /** Do something later, unless the connection is gone by then. */
  private after(ms: number, work: () => void): void {
    const cancel = this.clock.after(ms, () => {
      this.timers.delete(cancel);
      work();
    });
    this.timers.add(cancel);
  }

  private clear(): void {
    for (const cancel of this.timers) cancel();
    this.timers.clear();
    this.pausing = false;
  }
}
