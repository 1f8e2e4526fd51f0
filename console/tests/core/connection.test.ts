import { describe, expect, it } from "vitest";

import { Connection, type Dial } from "@/core/connection.ts";

import { ManualClock } from "./time.ts";

describe("a connection", () => {
  it("holds no more timers after a day than after a minute", () => {
    const clock = new ManualClock();
    let events: Parameters<Dial>[0] | undefined;
    const dial: Dial = (ears) => {
      events = ears;
      return { send: (text) => void (JSON.parse(text).t === "ping" && ears.said('{"t":"pong"}')), close: () => undefined };
    };
    const ears = { ready: () => undefined, frame: () => undefined, lost: () => undefined, renew: () => Promise.resolve(""), over: () => undefined };
    const connection = new Connection(dial, clock, ears, "t", "i");
    connection.open();
    events?.opened();
    events?.said('{"t":"ready"}');
    clock.advance(60_000);
    const after = held(connection);

    clock.advance(86_400_000);

    expect(held(connection)).toBeLessThanOrEqual(after);
  });
});

function held(connection: Connection): number {
  return (connection as unknown as { timers: Set<unknown> }).timers.size;
}
