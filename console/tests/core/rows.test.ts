/** The console keeps the rows of an inbox as the conformance cases say. */

import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import type { Desk } from "@/core/desk.ts";
import type { Frame } from "@/core/frames.ts";

import { Line, desk, world } from "./platform.ts";

interface Row {
  preview: string | null;
  waits: boolean;
  unread: number;
}

interface Step {
  recv?: Frame;
  do?: "listed";
  rows?: string[];
  expect_rows?: Record<string, Row>;
}

const cases = JSON.parse(readFileSync("../contracts/conformance/rows.json", "utf8")) as { name: string; steps: Step[] }[];
const FIRST = cases[0]?.steps[0]?.recv as Frame;

function listed(ids: readonly string[]): Frame {
  const rows = (FIRST.d?.conversations as { id: string }[]).filter((one) => ids.includes(one.id));
  return { ...FIRST, d: { ...FIRST.d, conversations: rows } };
}

function rowsOf(made: Desk): Record<string, Row> {
  const rows = Object.values(made.state.conversations);
  return Object.fromEntries(rows.map(({ id, last, waitingSince, unread }) => [id, { preview: last?.text ?? null, waits: waitingSince !== null, unread }]));
}

it.each(cases)("$name", async ({ steps }) => {
  const made = desk(70 + cases.findIndex((one) => one.steps === steps));
  world.facts = { id: "c2" };
  await made.start();
  const line = Line.all.at(-1) as Line;
  line.events.opened();
  line.tell({ t: "ready", server_time: "2026-11-11T00:00:00Z" });

  for (const { recv, do: act, rows, expect_rows: wanted } of steps) {
    if (act === "listed") line.tell(listed(rows ?? []));
    if (recv !== undefined) line.tell(recv);
    if (wanted !== undefined) expect(rowsOf(made)).toEqual(wanted);
  }
});
