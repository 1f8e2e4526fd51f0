/** The console names its streams when it comes back as the conformance cases say. */

import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import type { Dial } from "@/core/connection.ts";
import type { Frame, Outgoing } from "@/core/frames.ts";
import { Line } from "@/core/line.ts";
import type { Outcomes } from "@/core/stream.ts";
import type { Follower } from "@/core/streams.ts";
import type { Position } from "@/core/types.ts";

import { ManualClock } from "./time.ts";

const SOON_MS = 500;
/** Longer than the pace takes for all streams of a case. */
const ALL_MS = 10_000;
/** The most that a `hello` may name. */
const RESUMED = 64;

type Place = { s: string; position?: Position };

interface Step {
  do?: "follow" | "ask" | "leave" | "lost";
  s?: string;
  code?: number;
  recv?: Frame;
  expect_named?: Record<string, Position | null>;
}

interface Case {
  name: string;
  steps: Step[];
}

const OUTCOMES: Outcomes = { changed: () => undefined, delivered: () => undefined, refused: () => undefined };

/** The gateway's end of one socket. */
class Wire {
  readonly heard: Outgoing[] = [];
  private answered = 0;

  constructor(readonly events: Parameters<Dial>[0]) {}

  tell(frame: Frame): void {
    this.events.said(JSON.stringify(frame));
  }

  /** Answer what is asked, also what is asked behind an answer. */
  grant(): void {
    for (; this.answered < this.heard.length; this.answered += 1) {
      const frame = this.heard[this.answered];
      if (frame?.t === "sub") this.tell({ t: "ok", id: frame.id as string, d: { s: frame.s } });
    }
  }

  /** Streams that were asked for here, by `hello` or by `sub`, and from which position. */
  get named(): [string, Position | null][] {
    const resumed = this.heard.flatMap((frame) => (frame.resume ?? []) as Place[]);
    const asked = this.heard.filter((frame) => frame.t === "sub") as unknown as Place[];
    return [...resumed, ...asked].map(({ s, position }) => [s, position ?? null]);
  }
}

/** The console's line, and a gateway that grants what it is asked for unless it is told not to. */
class Player {
  private readonly clock = new ManualClock();
  private readonly wires: Wire[] = [];
  private readonly line: Line;
  private readonly follower: Follower = {
    heard: (stream, frame) => {
      if (frame.t === "ev") stream.isNew(frame);
      else stream.advance(frame.position);
    },
  };

  constructor() {
    const dial: Dial = (events) => {
      const wire = new Wire(events);
      this.wires.push(wire);
      return { send: (text) => wire.heard.push(JSON.parse(text) as Outgoing), close: () => undefined };
    };
    const ears = { show: () => undefined, cut: () => undefined, renew: () => Promise.reject(new Error("signed out")), over: () => undefined };
    this.line = new Line(dial, this.clock, "i", ears, OUTCOMES);
    this.line.open("t");
    this.greet();
  }

  play(step: Step): void {
    const name = step.s ?? "";
    if (step.do === "follow" || step.do === "ask") {
      this.line.streams.follow(name, this.follower);
      this.clock.advance(step.do === "follow" ? 100 : 0);
      if (step.do === "follow") this.wire.grant();
    } else if (step.do === "leave") this.line.streams.leave(name);
    else if (step.do === "lost") this.lose(step.code ?? 0);
    else if (step.recv !== undefined) {
      this.wire.tell(step.recv);
      this.wire.grant();
    } else if (step.expect_named !== undefined) this.expectNamed(step.expect_named);
    else expect.fail(`an unknown step: ${JSON.stringify(step)}`);
  }

  private get wire(): Wire {
    return this.wires.at(-1) as Wire;
  }

  private lose(code: number): void {
    const before = this.wires.length;
    this.wire.events.closed(code);
    this.clock.advance(SOON_MS);
    expect(this.wires).toHaveLength(before + 1);
    this.greet();
  }

  private greet(): void {
    this.wire.events.opened();
    this.wire.tell({ t: "ready" });
    this.clock.advance(ALL_MS);
    this.wire.grant();
  }

  private expectNamed(places: Record<string, Position | null>): void {
    const named = this.wire.named;
    expect(Object.fromEntries(named)).toEqual(places);
    expect(named).toHaveLength(Object.keys(places).length);
    const hello = this.wire.heard.find((frame) => frame.t === "hello");
    expect((hello?.resume ?? []) as Place[]).toSatisfy((resumed: Place[]) => resumed.length <= RESUMED);
  }
}

const cases = JSON.parse(readFileSync("../contracts/conformance/returns.json", "utf8")) as Case[];

it.each(cases)("$name", ({ steps }) => {
  const player = new Player();
  for (const step of steps) player.play(step);
});
