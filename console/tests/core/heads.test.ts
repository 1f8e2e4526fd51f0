/** A list goes on by heads: what is not open is not followed, and shows the same. */

import { describe, expect, it } from "vitest";

import type { Desk } from "@/core/desk.ts";
import type { Frame } from "@/core/frames.ts";
import { OPENED } from "@/core/opened.ts";

import { ASKED, CONVERSATION, Line, ROW, desk, said, settled, world } from "./platform.ts";

const AT = "2026-11-11T00:00:00.000Z";
const HEAD = { position: [1, 1], by: "buyer", kind: "text", preview: "在吗", at: AT };
const TOLD = { head: HEAD, round: { opened_at: AT, position: [1, 1], first: true }, unread: 1, read_up_to: null };
const shown = (made: Desk, id = CONVERSATION) => made.state.conversations[id];
const asked = (line: Line) => line.heard.filter((frame) => frame.t === "sub").map((frame) => frame.s);

/** Sign in at a gateway that tells heads of these rows; what else is asked for waits. */
async function atHeads(slot: number, rows: readonly unknown[] = [{ ...ROW, ...TOLD }]): Promise<[Desk, Line]> {
  const made = desk(slot);
  await made.start();
  const line = Line.all.at(-1) as Line;
  line.events.opened();
  line.tell({ t: "ready", server_time: AT });
  listed(line, rows);
  return [made, line];
}

function listed(line: Line, rows: readonly unknown[]): void {
  const sub = line.heard.find((frame) => frame.t === "sub" && frame.s === "inbox");
  line.heard.splice(line.heard.indexOf(sub as never), 1);
  line.tell({ t: "snap", s: "inbox", d: { conversations: rows, work: [] } } as Frame);
  line.tell({ t: "ok", id: sub?.id as string, d: {} });
}

function patch(d: Record<string, unknown>, k = CONVERSATION): Frame {
  return { t: "patch", s: "inbox", k, d: { ...TOLD, ...d } };
}

describe("a list by heads", () => {
  it("shows who waits, since when and with which words, and follows nobody", async () => {
    const [made, line] = await atHeads(90);

    expect(asked(line)).toEqual([]);
    expect(shown(made)).toMatchObject({ buyer: "王小明", waitingSince: Date.parse(AT), isFirst: true, unread: 1, items: [], last: { text: "在吗", by: "buyer" } });
  });

  it("takes a newer head whole and an older one not at all", async () => {
    const [made, line] = await atHeads(91);

    line.tell(patch({ head: { ...HEAD, position: [1, 5], by: "agent", preview: "在的" }, round: null, unread: 0 }));
    expect(shown(made)).toMatchObject({ waitingSince: null, isFirst: true, unread: 0, last: { text: "在的", by: "agent" } });

    line.tell(patch({}));
    expect(shown(made)).toMatchObject({ waitingSince: null, unread: 0, last: { text: "在的" } });
    line.tell(patch({ head: { ...HEAD, position: [2, 0], preview: "喂" }, round: { opened_at: AT, position: [2, 0], first: false }, unread: 7 }));
    expect(shown(made)).toMatchObject({ waitingSince: Date.parse(AT), isFirst: false, unread: 7 });
  });

  it("takes what was read elsewhere, though nobody said anything since", async () => {
    const [made, line] = await atHeads(92);

    line.tell(patch({ unread: 0, read_up_to: [1, 1] }));

    expect(shown(made)).toMatchObject({ unread: 0, waitingSince: Date.parse(AT) });
  });

  it("knows no row by a head alone", async () => {
    const [made, line] = await atHeads(93);

    line.tell(patch({}, "0190-x"));

    expect(Object.keys(made.state.conversations)).toEqual([CONVERSATION]);
  });

  it("follows one that is opened, and there the thread says more than its head", async () => {
    const [made, line] = await atHeads(94);

    made.oversight.watch(CONVERSATION);
    expect(asked(line)).toEqual([`conv:${CONVERSATION}`]);
    line.grant();
    line.tell(said(2, "agent", "me"));
    line.tell(patch({}));

    expect(shown(made)).toMatchObject({ waitingSince: null, unread: 0, maySend: true, last: { text: "2", by: "agent" } });
    expect(shown(made)?.items.map((item) => item.id)).toEqual(["m1", "m2"]);
  });

  it("follows those that were opened last, and shows the others by their heads again", async () => {
    const rows = Array.from({ length: OPENED + 1 }, (_, number) => ({ ...ROW, ...TOLD, id: `0190-${number}` }));
    const [made, line] = await atHeads(95, rows);
    for (const row of rows) {
      made.oversight.watch(row.id);
      world.clock.advance(1_000);
      line.grant();
    }

    expect(line.heard.filter((frame) => frame.t === "unsub").map((frame) => frame.s)).toEqual(["conv:0190-0"]);
    expect(shown(made, "0190-0")).toMatchObject({ items: [], maySend: null, last: { text: "在吗" }, waitingSince: Date.parse(AT) });
    line.tell(patch({ head: { ...HEAD, position: [1, 9], preview: "还在吗" }, unread: 2 }, "0190-0"));
    expect(shown(made, "0190-0")).toMatchObject({ unread: 2, last: { text: "还在吗" } });
  });

  it("follows one with words on their way", async () => {
    const [made, line] = await atHeads(96);

    await made.outbox.send(CONVERSATION, "在的");
    line.grant();

    expect(line.sends.map((frame) => frame.s)).toEqual([`conv:${CONVERSATION}`]);
  });

  it("asks whose one is that came just now, and follows it where nobody says so", async () => {
    const [made, line] = await atHeads(97);
    const given = (id: string, version: number) => ({ t: "ev", s: "inbox", id, type: "conversation.assigned.v1", d: { conversation_id: id, version, agent_id: "me", waiting_since: AT } });
    world.facts = { ...ROW, id: "0190-n", buyer: { id: "b2", name: "小李" } };
    line.tell(given("0190-n", 1));
    await settled();
    expect(shown(made, "0190-n")).toMatchObject({ buyer: "小李", waitingSince: Date.parse(AT), items: [] });
    expect(asked(line)).toEqual([]);

    world.isAway = true;
    line.tell(given("0190-m", 1));
    await settled();
    expect(asked(line)).toEqual(["conv:0190-m"]);
  });

  it("says again what was read here and the platform has not heard", async () => {
    const [before, first] = await atHeads(98);
    before.oversight.watch(CONVERSATION);
    first.grant();
    await before.read(CONVERSATION, [1, 1]);
    await settled();
    before.stop();

    const [, line] = await atHeads(98);
    expect(asked(line)).toEqual([`conv:${CONVERSATION}`]);
    line.grant();
    expect(line.heard.filter((frame) => frame.t === "read").map((frame) => frame.position)).toEqual([[1, 1]]);
  });

  it("follows all of one's own at a gateway that tells no heads", async () => {
    const [made, line] = await atHeads(99, [{ ...ROW, head: null, unread: null }]);

    expect(asked(line)).toEqual([`conv:${CONVERSATION}`]);
    line.grant();
    expect(shown(made)?.last).toMatchObject({ text: ASKED.d.d.text });
  });
});
