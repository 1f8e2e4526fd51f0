/** The console keeps the rules of a stream that the conformance cases write down. */

import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import type { Frame, Outgoing } from "@/core/frames.ts";
import { Stream, type Outcomes } from "@/core/stream.ts";
import type { Position } from "@/core/types.ts";

import { ManualClock } from "./time.ts";

const NAME = "conv:1";

interface Sent {
  id: string;
  again?: true;
}

interface Step {
  do?: "send" | "joined" | "cut" | "resync" | "events";
  id?: string;
  first?: number;
  last?: number;
  recv?: Frame;
  advance_ms?: number;
  expect_send?: Sent[];
  expect_sub?: { position?: Position };
  expect_shown?: string[];
  expect_shown_count?: number;
  expect_answers?: Record<string, string | null>;
}

interface Case {
  name: string;
  random?: number[];
  steps: Step[];
}

/** A clock that moves when told, and chance that says what it was told. */
class ToldClock extends ManualClock {
  constructor(private readonly said: number[]) {
    super();
  }

  override random(): number {
    const next = this.said.shift() ?? 0;
    this.said.push(next);
    return next;
  }
}

class Player {
  private readonly clock: ToldClock;
  private readonly stream: Stream;
  private written: Outgoing[] = [];
  private readonly shown: string[] = [];
  private readonly answers: Record<string, string | null> = {};

  constructor(random: number[]) {
    const outcomes: Outcomes = {
      changed: () => undefined,
      delivered: (pending) => (this.answers[pending.id] = null),
      refused: (pending, problem) => (this.answers[pending.id] = problem.code),
    };
    this.clock = new ToldClock(random);
    this.stream = new Stream(NAME, (frame) => this.written.push(frame), this.clock, outcomes);
  }

  play(step: Step): void {
    if (step.do !== undefined) this.act(step);
    else if (step.recv !== undefined) this.receive(step.recv);
    else if (step.advance_ms !== undefined) this.clock.advance(step.advance_ms);
    else if (step.expect_send !== undefined) expect(this.sends()).toEqual(step.expect_send.map(frameOf));
    else if (step.expect_sub !== undefined) expect(this.stream.subscribeFrame()).toEqual({ t: "sub", s: NAME, ...step.expect_sub });
    else if (step.expect_shown !== undefined) expect(this.shown).toEqual(step.expect_shown);
    else if (step.expect_shown_count !== undefined) expect(this.shown).toHaveLength(step.expect_shown_count);
    else if (step.expect_answers !== undefined) expect(this.answers).toMatchObject(step.expect_answers);
    else expect.fail(`an unknown step: ${JSON.stringify(step)}`);
  }

  private act(step: Step): void {
    const id = step.id ?? "";
    switch (step.do) {
      case "send":
        this.stream.send({ id, conversation: "1", text: id, firstTriedAt: this.clock.now(), written: false, state: "queued" });
        break;
      case "joined":
        this.stream.joined();
        break;
      case "cut":
        this.stream.cut();
        break;
      case "resync":
        this.stream.position = null;
        this.stream.live = false;
        break;
      case "events":
        for (let offset = step.first ?? 0; offset <= (step.last ?? 0); offset += 1) this.show({ t: "ev", id: `m${offset}`, position: [1, offset] });
        break;
      default:
        expect.fail(`nothing to do: ${step.do}`);
    }
  }

  private receive(frame: Frame): void {
    if (frame.t === "ev") this.show(frame);
    else if (frame.t === "snap") {
      for (const item of frame.d?.items as Frame[]) this.show(item);
      this.stream.advance(frame.position);
    } else this.stream.answered(frame);
  }

  private show(frame: Frame): void {
    if (this.stream.isNew(frame)) this.shown.push(frame.id ?? "");
  }

  /** Return what was written since the last look. */
  private sends(): Outgoing[] {
    const written = this.written;
    this.written = [];
    return written;
  }
}

function frameOf(sent: Sent): Outgoing {
  return { t: "send", id: sent.id, s: NAME, kind: "text", d: { text: sent.id }, ...(sent.again ? { again: true } : {}) };
}

const cases = JSON.parse(readFileSync("../contracts/conformance/streams.json", "utf8")) as Case[];

it.each(cases)("$name", ({ random, steps }) => {
  const player = new Player(random ?? [0]);
  for (const step of steps) player.play(step);
});
