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

  it("begins with what is left of the burst, which all of a person's sockets share", () => {
    const clock = new ManualClock();
    const written: string[] = [];
    let events: Parameters<Dial>[0] | undefined;
    const dial: Dial = (ears) => {
      events = ears;
      return { send: (text) => void written.push(JSON.parse(text).t), close: () => undefined };
    };
    const ears = { ready: () => undefined, frame: () => undefined, lost: () => undefined, renew: () => Promise.resolve(""), over: () => undefined };
    const connection = new Connection(dial, clock, ears, "t", "i");
    connection.open();
    events?.opened();
    events?.said('{"t":"ready","frames_left":2}');

    for (let each = 0; each < 4; each++) connection.write({ t: "send" });
    expect(written).toEqual(["hello", "send", "send"]);
    clock.advance(200);
    expect(written).toEqual(["hello", "send", "send", "send", "send"]);
  });
});

function held(connection: Connection): number {
  return (connection as unknown as { timers: Set<unknown> }).timers.size;
}
