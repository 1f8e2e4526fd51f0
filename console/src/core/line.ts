/**
 * One person's connection with all that runs over it, and what a page says about it: whether it is
 * there, since when, and how far the server's clock is from this one's. Knows neither REST nor what a
 * stream means.
 */

import type { Clock } from "./clock.ts";
import { Connection, type Dial } from "./connection.ts";
import type { Frame } from "./frames.ts";
import type { Outcomes } from "./stream.ts";
import { Streams } from "./streams.ts";
import type { State, Stopped } from "./types.ts";

const LOST_AFTER_MS = 1_500;
/** Close codes that stop a connection and leave the session as it is. */
const STOPS: Readonly<Record<number, Stopped>> = { 4501: "protocol", 4502: "version", 4505: "elsewhere", 4506: "tooMany" };

export type Linked = Pick<State, "connection" | "connectionSince" | "clockOffset" | "stopped">;

export interface LineEars {
  show(changed: Partial<Linked>): void;
  /** The connection is gone; it comes back by itself. */
  cut(): void;
  /** The token is used up: resolve with a fresh one. Rejects when there is no session any more. */
  renew(): Promise<string>;
  /** Coming back is of no use, by the close code why: the session is over. */
  over(code: number): void;
}

export class Line {
  readonly streams: Streams;
  private connection: Connection | null = null;
  private isConnected = false;
  private cancelLost: (() => void) | null = null;

  /** `instance` names this client: a second socket of one instance ends the first. */
  constructor(
    private readonly dial: Dial,
    private readonly clock: Clock,
    private readonly instance: string,
    private readonly ears: LineEars,
    outcomes: Outcomes,
  ) {
    this.streams = new Streams((frame) => this.connection?.write(frame), clock, outcomes);
  }

  /** Connect as the person whom `token` stands for, in place of whoever was connected. */
  open(token: string): void {
    this.connection?.stop();
    const { renew } = this.ears;
    this.connection = new Connection(
      this.dial,
      this.clock,
      {
        ready: (frame) => this.connected(frame),
        frame: (frame) => this.streams.heard(frame),
        lost: (code) => this.cut(code),
        renew,
        over: (code) => this.over(code),
      },
      token,
      this.instance,
    );
    this.soonLost();
    this.connection.open();
  }

  /** Connect again after the connection was stopped; streams go on where they stand. */
  resume(token: string): void {
    this.ears.show({ connection: "connecting", connectionSince: this.clock.now(), stopped: null });
    this.open(token);
  }

  /** Go on with a fresh token of the same person. */
  fresh(token: string): void {
    this.connection?.fresh(token);
  }

  write(frame: Parameters<Connection["write"]>[0]): void {
    this.connection?.write(frame);
  }

  /** Let go of the connection and what came by it. */
  close(): void {
    this.connection?.stop();
    this.connection = null;
    this.isConnected = false;
    this.cancelLost?.();
    this.cancelLost = null;
    this.streams.clear();
  }

  private connected(frame: Frame): void {
    this.cancelLost?.();
    this.cancelLost = null;
    this.isConnected = true;
    const now = this.clock.now();
    const server = Date.parse(frame.server_time ?? "");
    this.ears.show({ connection: "connected", connectionSince: now, ...(Number.isNaN(server) ? {} : { clockOffset: server - now }) });
    this.streams.connected();
  }

  private cut(code: number): void {
    this.streams.cut(code);
    this.ears.cut();
    if (!this.isConnected) return;
    this.isConnected = false;
    this.ears.show({ connection: "connecting", connectionSince: this.clock.now() });
    this.soonLost();
  }

  private over(code: number): void {
    const stopped = STOPS[code];
    if (stopped === undefined) {
      this.ears.over(code);
      return;
    }
    this.cancelLost?.();
    this.cancelLost = null;
    this.ears.show({ connection: "stopped", connectionSince: this.clock.now(), stopped });
  }

  private soonLost(): void {
    this.cancelLost?.();
    this.cancelLost = this.clock.after(LOST_AFTER_MS, () => this.ears.show({ connection: "lost" }));
  }
}
