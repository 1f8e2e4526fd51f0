/** The buyer's clock stands where its cases say, as a thread shows it. */

import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { itemOf, type Frame } from "@/core/frames.ts";
import { roundOf } from "@/core/rounds.ts";

interface Told {
  said?: string;
  told?: string;
  at: number;
  seat?: number;
  late?: boolean;
  generation?: number;
  version?: number;
  sweep?: string;
  received_at?: number;
  about?: number;
}

interface Case {
  name: string;
  log: Told[];
  expect: { waiting_since: number | null; first: boolean };
}

const NOON = Date.parse("2026-11-11T04:00:00Z");
const cases = JSON.parse(readFileSync("../contracts/conformance/clock.json", "utf8")) as Case[];

function moment(at: number): string {
  return new Date(NOON + at * 1_000).toISOString();
}

function frameOf(one: Told, offset: number): Frame {
  const { version, sweep, about, received_at: received } = one;
  const head: Frame = { t: "ev", id: `m${offset}`, position: [one.generation ?? 1, offset], time: moment(one.at), ...(one.late ? { late: true } : {}) };
  if (one.said !== undefined) return { ...head, type: "chat.message.v1", d: { sender_kind: one.said, assignment_version: one.seat ?? null, d: { text: "在吗" } } };
  const d = { version, sweep, ...(received === undefined ? {} : { received_at: moment(received) }), ...(about === undefined ? {} : { message_id: `m${about}` }) };
  return { ...head, type: `conversation.${one.told}.v1`, d };
}

it.each(cases)("$name", ({ log, expect: wanted }) => {
  const items = log.map(frameOf).map(itemOf).filter((item) => item !== null);

  expect(roundOf(items)).toEqual({
    waitingSince: wanted.waiting_since === null ? null : NOON + wanted.waiting_since * 1_000,
    isFirst: wanted.first,
  });
});
