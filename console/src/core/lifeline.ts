/**
 * A page's watch over its worker, for one that crashed or hung tells nobody: it is pinged, and another
 * is begun beside one that does not answer. Knows no frames; must not know what is asked.
 */

import type { Clock } from "./clock.ts";
import { UNREACHABLE, repeated } from "./host.ts";
import type { Problem } from "./types.ts";
import type { Asked, Said, Told } from "./worker.ts";

export const PING_MS = 2_000;
/** Pings without an answer, of a worker that answered before and of one that may still be loading. */
const MISSED = 3;
const MISSED_AT_FIRST = 10;

/** A worker as a page reaches it. */
export interface Worked {
  say(said: Said): void;
  hear(told: (told: Told) => void): void;
  end(): void;
}

export interface LifelineEars {
  told(told: Told): void;
  /** The worker answers no more. */
  hung(): void;
  /** Another worker was begun in its place; nobody knows what became of what was asked. */
  begun(): void;
}

export class Lifeline {
  private worker: Worked;
  private place = 1;
  private missed = 0;
  private hasAnswered = false;

  /** `begin` starts the worker of a place; from 2 on it takes the lead from the one before. */
  constructor(
    private readonly begin: (place: number) => Worked,
    private readonly clock: Clock,
    private readonly ears: LifelineEars,
  ) {
    this.worker = this.begun();
    this.watch();
  }

  say(said: Said): void {
    this.worker.say(said);
  }

  private begun(): Worked {
    const worker = this.begin(this.place);
    worker.hear((told) => {
      if (worker !== this.worker) return;
      this.missed = 0;
      this.hasAnswered = true;
      this.ears.told(told);
    });
    return worker;
  }

  /** Pings are counted, not timed: a page that slept finds one unanswered at most. */
  private watch(): void {
    if (this.missed >= (this.hasAnswered ? MISSED : MISSED_AT_FIRST)) this.replace();
    this.missed += 1;
    this.worker.say("ping");
    this.clock.after(PING_MS, () => this.watch());
  }

  private replace(): void {
    this.ears.hung();
    this.worker.end();
    this.place += 1;
    this.missed = 0;
    this.hasAnswered = false;
    this.worker = this.begun();
    this.ears.begun();
  }
}

/** What a page asked and was not told the end of. */
export interface Waiting {
  asked: Asked;
  resolve: (value: unknown) => void;
  reject: (problem: Problem) => void;
}

/** Tell who asked how it ended. */
export function settle(waiting: Map<number, Waiting>, told: Extract<Told, { id: number }>): void {
  const one = waiting.get(told.id);
  waiting.delete(told.id);
  if (told.problem === undefined) one?.resolve(told.value);
  else one?.reject(told.problem);
}

/** Ask a new worker what the one before did not answer; what might be done twice has failed. */
export function askAgain(waiting: Map<number, Waiting>, ask: (asked: Asked) => void): void {
  for (const one of [...waiting.values()]) {
    const asked = repeated(one.asked);
    if (asked === null) settle(waiting, { id: one.asked.id, problem: UNREACHABLE });
    else ask(asked);
  }
}
