/** The console comes back as the conformance cases of connections write down. */

import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { Connection, type Dial } from "@/core/connection.ts";

import { ManualClock } from "./time.ts";

const DAY_MS = 86_400_000;
const EXPIRED = 4005;

interface Try {
  ready?: true;
  closed: number;
  then_ms: number | null;
}

interface Case {
  name: string;
  random: number;
  tries: Try[];
}

class ToldClock extends ManualClock {
  constructor(private readonly said: number) {
    super();
  }

  override random(): number {
    return this.said;
  }
}

const cases = JSON.parse(readFileSync("../contracts/conformance/connections.json", "utf8")) as Case[];

it.each(cases)("$name", async ({ random, tries }) => {
  const clock = new ToldClock(random);
  const dials: Parameters<Dial>[0][] = [];
  let closed = 0;
  const dial: Dial = (events) => {
    dials.push(events);
    return { send: () => undefined, close: () => undefined };
  };
  const renew = () => (closed === EXPIRED ? Promise.resolve("t2") : Promise.reject(new Error("signed out")));
  const connection = new Connection(dial, clock, { ready: () => undefined, frame: () => undefined, lost: () => undefined, renew, over: () => undefined }, "t", "i");
  connection.open();

  for (const one of tries) {
    const before = dials.length;
    const line = dials.at(-1);
    if (one.ready) line?.opened();
    if (one.ready) line?.said('{"t":"ready"}');
    closed = one.closed;
    line?.closed(one.closed);
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();

    clock.advance((one.then_ms ?? DAY_MS) - 1);
    expect(dials).toHaveLength(before);
    clock.advance(1);
    expect(dials).toHaveLength(one.then_ms === null ? before : before + 1);
  }
});
