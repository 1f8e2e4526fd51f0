import { expect, it } from "vitest";

import type { Desk } from "@/core/desk.ts";

import { CONVERSATION, signedIn, type Line } from "./platform.ts";

const S = `conv:${CONVERSATION}`;
const LOOKING = { t: "viewing", s: S, on: true };
const sayings = (line: Line) => line.heard.filter((frame) => frame.t === "viewing");
const shown = (made: Desk) => made.state.viewers[CONVERSATION]?.map((one) => one.name) ?? [];
const patch = (...ids: string[]) => ({ t: "patch", s: S, k: "viewers", d: { viewers: ids.map((id) => ({ id, name: id.toUpperCase() })) } });

it("says with each look that one looks, and once more when the platform follows it", async () => {
  const [made, line] = await signedIn(80);
  made.watch(CONVERSATION);
  expect(sayings(line)).toEqual([LOOKING]);

  line.grant();
  made.watch(CONVERSATION);

  expect(sayings(line).length).toBeGreaterThanOrEqual(2);
  expect(sayings(line).every((frame) => frame.s === S && frame.on === true)).toBe(true);
});

it("says once that one looks no more, and nothing of what one never looked at", async () => {
  const [made, line] = await signedIn(83);
  made.watch(CONVERSATION);
  line.grant();

  made.unwatch(CONVERSATION);
  made.unwatch(CONVERSATION);
  made.unwatch("another");

  expect(sayings(line).filter((frame) => frame.on === false)).toEqual([{ ...LOOKING, on: false }]);
  expect(sayings(line).at(-1)).toEqual({ ...LOOKING, on: false });
});

it("shows others and not oneself, and nobody when they went", async () => {
  const [made, line] = await signedIn(81);
  made.watch(CONVERSATION);
  line.grant();

  line.tell(patch("me", "bert"));
  expect(shown(made)).toEqual(["BERT"]);
  line.tell(patch("me"));
  expect(shown(made)).toEqual([]);
});

it("shows them beside what one only watches, too", async () => {
  const [made, line] = await signedIn(82);
  made.watch("0190-w");
  line.grant();

  line.tell({ ...patch("bert"), s: "conv:0190-w" });

  expect(made.state.viewers["0190-w"]).toEqual([{ id: "bert", name: "BERT" }]);
});
