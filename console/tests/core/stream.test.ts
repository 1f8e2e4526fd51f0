import { beforeEach, describe, expect, it } from "vitest";

import type { Outgoing } from "@/core/frames.ts";
import { Stream, TOO_OLD_MS, type Outcomes } from "@/core/stream.ts";
import type { Pending } from "@/core/types.ts";

import { ManualClock } from "./time.ts";

let clock: ManualClock;
let written: Outgoing[];
let told: string[];
let stream: Stream;

const outcomes: Outcomes = {
  changed: (pending) => told.push(`${pending.id} ${pending.state}`),
  delivered: (pending) => told.push(`${pending.id} delivered`),
  refused: (pending, problem) => told.push(`${pending.id} ${problem.code}`),
};

function pending(id: string): Pending {
  return { id, conversation: "c", text: id, firstTriedAt: clock.now(), written: false, state: "queued" };
}

const sends = () => written.map((frame) => `${String(frame.id)}${frame.again ? " again" : ""}`);

beforeEach(() => {
  clock = new ManualClock();
  written = [];
  told = [];
  stream = new Stream("conv:c", (frame) => written.push(frame), clock, outcomes);
});

describe("what is sent", () => {
  it("waits for the subscription and then goes out in its order", () => {
    stream.send(pending("a"));
    stream.send(pending("b"));
    expect(written).toEqual([]);

    stream.joined();

    expect(sends()).toEqual(["a", "b"]);
  });

  it("comes again, marked, behind a lost connection, unless it was answered", () => {
    stream.joined();
    stream.send(pending("a"));
    stream.send(pending("b"));
    stream.answered({ t: "ok", id: "a" });

    stream.cut();
    stream.joined();

    expect(sends()).toEqual(["a", "b", "b again"]);
    expect(told).toContain("a delivered");
    expect(told).toContain("b unknown");
  });

  it("is uncertain after two seconds without an answer", () => {
    stream.joined();
    stream.send(pending("a"));

    clock.advance(2_000);

    expect(told.at(-1)).toBe("a unknown");
  });

  it("holds the others back behind a retry, and lets the oldest go first", () => {
    stream.joined();
    stream.send(pending("a"));
    stream.send(pending("b"));
    stream.answered({ t: "err", id: "a", problem: { code: "retry", retry_after_ms: 100 } });
    stream.answered({ t: "err", id: "b", problem: { code: "retry", retry_after_ms: 100 } });
    stream.send(pending("c"));
    expect(sends()).toEqual(["a", "b"]);

    clock.advance(100);
    expect(sends()).toEqual(["a", "b", "a again"]);

    stream.answered({ t: "ok", id: "a" });
    expect(sends()).toEqual(["a", "b", "a again", "b again", "c"]);
  });

  it("needs no mark where the refused try was not looked at", () => {
    stream.joined();
    stream.send(pending("a"));
    stream.answered({ t: "err", id: "a", problem: { code: "retry", retry_after_ms: 100, taken: false } });

    clock.advance(100);

    expect(sends()).toEqual(["a", "a"]);
  });

  it("is not sent by itself once it is ten minutes old", () => {
    stream.send(pending("a"));
    clock.advance(TOO_OLD_MS + 1);

    stream.joined();

    expect(written).toEqual([]);
    expect(told).toEqual(["a failed"]);
  });

  it("lets go what waits behind a send that grew too old while it was tried", () => {
    stream.joined();
    stream.send({ ...pending("a"), firstTriedAt: clock.now() - TOO_OLD_MS + 50 });
    stream.answered({ t: "err", id: "a", problem: { code: "retry", retry_after_ms: 20 } });
    clock.advance(20);
    stream.send(pending("b"));
    expect(sends()).toEqual(["a", "a again"]);

    clock.advance(100);

    expect(told).toContain("a failed");
    expect(sends()).toEqual(["a", "a again", "b"]);
  });

  it("is shown as failed after ten minutes without a connection", () => {
    stream.send(pending("a"));

    clock.advance(TOO_OLD_MS + 1);

    expect(told).toEqual(["a failed"]);
  });

  it("needs the mark once one of its tries may have been taken", () => {
    stream.joined();
    stream.send(pending("a"));
    stream.cut();
    stream.joined();

    stream.answered({ t: "err", id: "a", problem: { code: "retry", retry_after_ms: 100, taken: false } });
    clock.advance(100);

    expect(sends()).toEqual(["a", "a again", "a again"]);
  });

  it("ends with the gate's refusal", () => {
    stream.joined();
    stream.send(pending("a"));
    stream.answered({ t: "err", id: "a", problem: { code: "blocked" } });

    stream.cut();
    stream.joined();

    expect(sends()).toEqual(["a"]);
    expect(told.at(-1)).toBe("a blocked");
  });
});

describe("what is received", () => {
  it("is new once, and names the newest position when it comes back", () => {
    expect(stream.isNew({ t: "ev", id: "m1", position: [1, 5] })).toBe(true);
    expect(stream.isNew({ t: "ev", id: "m1", position: [1, 5] })).toBe(false);
    expect(stream.isNew({ t: "ev", id: "m0", position: [1, 4] })).toBe(true);

    expect(stream.subscribeFrame()).toEqual({ t: "sub", s: "conv:c", position: [1, 5] });
  });
});
