import { beforeEach, describe, expect, it } from "vitest";

import { Lifeline, PING_MS, askAgain, type Waiting, type Worked } from "@/core/lifeline.ts";
import type { Asked, Said, Told } from "@/core/worker.ts";

import { ManualClock } from "./time.ts";

class FakeWorker implements Worked {
  readonly said: Said[] = [];
  isHung = isLoading;
  isEnded = false;
  tell: (told: Told) => void = () => undefined;

  say(said: Said): void {
    this.said.push(said);
    if (said === "ping" && !this.isHung) this.tell({ alive: true });
  }

  hear(told: (told: Told) => void): void {
    this.tell = told;
  }

  end(): void {
    this.isEnded = true;
  }
}

let isLoading = false;
let clock: ManualClock;
let workers: FakeWorker[];
let told: (Told | "hung" | "begun")[];

function lifeline(): Lifeline {
  const begin = (place: number) => {
    const made = new FakeWorker();
    workers[place - 1] = made;
    return made;
  };
  return new Lifeline(begin, clock, { told: (one) => told.push(one), hung: () => told.push("hung"), begun: () => told.push("begun") });
}

beforeEach(() => {
  isLoading = false;
  clock = new ManualClock();
  workers = [];
  told = [];
});

describe("a page's watch over its worker", () => {
  it("leaves one alone that answers", () => {
    lifeline();

    clock.advance(3_600_000);

    expect(workers).toHaveLength(1);
  });

  it("begins another beside one that answers no more, and hears the old one no longer", () => {
    const line = lifeline();
    clock.advance(PING_MS);
    const [first] = workers as [FakeWorker];
    first.isHung = true;
    clock.advance(4 * PING_MS);

    expect(workers).toHaveLength(2);
    expect(first.isEnded).toBe(true);
    expect(told.filter((one) => typeof one === "string")).toEqual(["hung", "begun"]);

    first.tell({ changed: {} });
    expect(told).not.toContainEqual({ changed: {} });
    line.say("bye");
    expect(workers[1]?.said.at(-1)).toBe("bye");
  });

  it("has patience with one that was never heard, for it may be loading", () => {
    isLoading = true;
    lifeline();

    clock.advance(9 * PING_MS);
    expect(workers).toHaveLength(1);

    clock.advance(2 * PING_MS);
    expect(workers).toHaveLength(2);
  });
});

describe("what was not answered", () => {
  it("is asked again under the same id, or has failed where it might be done twice", () => {
    const rejected: unknown[] = [];
    const waiting = new Map<number, Waiting>();
    const one = (id: number, name: Asked["name"], ...given: unknown[]) =>
      waiting.set(id, { asked: { id, name, given }, resolve: () => undefined, reject: (problem) => rejected.push([id, problem.code]) });
    one(1, "send", "c", "在的", "m1");
    one(2, "transfer", "c", {}, "note");
    one(3, "draft", "c", "没写完");
    const again: Asked[] = [];

    askAgain(waiting, (asked) => again.push(asked));

    expect(again).toEqual([
      { id: 1, name: "send", given: ["c", "在的", "m1", true] },
      { id: 3, name: "draft", given: ["c", "没写完"] },
    ]);
    expect(rejected).toEqual([[2, "unreachable"]]);
    expect([...waiting.keys()]).toEqual([1, 3]);
  });
});
