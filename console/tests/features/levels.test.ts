import { mount } from "@vue/test-utils";
import { describe, expect, it } from "vitest";

import type { Conversation, Levels } from "@/core/types.ts";
import ConversationList from "@/features/desk/ConversationList.vue";
import WaitingCard from "@/features/desk/WaitingCard.vue";
import { levelOf, overdue } from "@/features/desk/levels.ts";
import { i18n } from "@/locales/i18n.ts";

const NOW = 1_000_000;
const LEVELS: Levels = { first: [10, 20, 30], later: [20, 100, 180] };

function waits(seconds: number | null, isFirst = false, buyer = `等${seconds}`): Conversation {
  return { id: buyer, buyer, buyerId: buyer, items: [], last: null, waitingSince: seconds === null ? null : NOW - seconds * 1_000, isFirst, readUpTo: null, maySend: true, unread: 0, firstUnread: null, older: "none" };
}

describe("how long is too long", () => {
  it.each([
    [19.9, false, 0],
    [20, false, 1],
    [99.9, false, 1],
    [100, false, 2],
    [179.9, false, 2],
    [180, false, 3],
    [9.9, true, 0],
    [10, true, 1],
    [20, true, 2],
    [30, true, 3],
    [-5, true, 0],
  ])("after %d s, at the first reply: %s", (seconds, isFirst, level) => {
    expect(levelOf(waits(seconds, isFirst), NOW, LEVELS)).toBe(level);
  });

  it("says nothing of who waits for nobody, and nothing without limits", () => {
    expect(levelOf(waits(null), NOW, LEVELS)).toBe(0);
    expect(levelOf(waits(900), NOW, null)).toBe(0);
  });

  it("reminds of who waits too long, or of all while no limit is known", () => {
    const all = [waits(150), waits(30), waits(null)];

    expect(overdue(all, NOW, LEVELS).map((one) => one.buyer)).toEqual(["等150"]);
    expect(overdue(all, NOW, null).map((one) => one.buyer)).toEqual(["等150", "等30"]);
  });
});

describe("the list", () => {
  it("shows a level by colour, by shape and in words", () => {
    const conversations = [waits(192), waits(107), waits(38), waits(6)];
    const list = mount(ConversationList, { props: { conversations, drafts: {}, levels: LEVELS, now: NOW, open: null, known: true }, global: { plugins: [i18n] } });

    const rows = list.findAll("[role=option]");
    expect(rows.map((row) => row.classes().find((name) => name.startsWith("level")))).toEqual(["level-3", "level-2", "level-1", "level-0"]);
    expect(rows.map((row) => row.get(".timer").text())).toEqual(["超时3:12", "久等1:47", "该回复0:38", "0:06"]);
    expect(rows.map((row) => row.get("use").attributes("href")?.split("#")[1])).toEqual(["warning", "overdue", "hourglass", "clock"]);
    expect(rows[0]?.text()).toContain("已等待 3 分钟，已超时");
  });
});

describe("the list's other states", () => {
  const list = (props: Record<string, unknown>) =>
    mount(ConversationList, { props: { conversations: [], drafts: {}, levels: LEVELS, now: NOW, open: null, known: true, ...props }, global: { plugins: [i18n] } });

  it("is grey lines until it is known whose conversations are one's own", () => {
    expect(list({ known: false }).get("[role=status]").attributes("aria-label")).toBe("正在取会话列表");
  });

  it.each([
    ["online", "现在没有买家在等您"],
    ["suspended", "您已挂起"],
    ["offline", "您还没有上线"],
  ])("says why nobody is there: %s", (state, words) => {
    expect(list({ state }).text()).toContain(words);
  });

  it("counts who waits and who was answered, and what was not read", () => {
    const shown = list({ conversations: [{ ...waits(30), unread: 4 }, { ...waits(null), unread: 0 }] });

    expect(shown.findAll(".title").map((one) => one.text())).toEqual(["等待回复 1", "已回复 1"]);
    expect(shown.get("[aria-label='4 条未读']").text()).toBe("4");
  });

  it("marks how long somebody waits as rough while the platform is away", () => {
    expect(list({ conversations: [waits(30)], isRough: true }).get(".timer").text()).toContain("≈0:30");
  });

  it("keeps who left where he stood, grey, with the reason, and counts him no more", () => {
    const gone = waits(192);
    const left = { [gone.id]: { conversation: gone, reason: "transferred", toAgent: null, toGroup: null, by: null, at: NOW } };
    const shown = list({ conversations: [waits(30)], left });

    const rows = shown.findAll("[role=option]");
    expect(rows.map((row) => row.classes("left"))).toEqual([true, false]);
    expect(rows[0]?.text()).toContain("已转走");
    expect(rows[0]?.find(".timer").exists()).toBe(false);
    expect(shown.get(".title").text()).toBe("等待回复 1");
  });
});

describe("the reminder", () => {
  const card = (waiting: Conversation[], now = NOW) => mount(WaitingCard, { props: { waiting, now, known: true }, global: { plugins: [i18n] } });

  it("counts, names the longest, and is gone when nobody waits too long", async () => {
    const shown = card([waits(107), waits(192)]);
    expect(shown.text()).toContain("2 位买家等得太久");
    expect(shown.text()).toContain("等192");

    await shown.get("button").trigger("click");
    expect(shown.emitted("go")).toHaveLength(1);

    await shown.setProps({ waiting: [] });
    expect(shown.find("aside").exists()).toBe(false);
  });

  it("is small for a minute at most, and still counts", async () => {
    const shown = card([waits(192)]);

    await shown.findAll("button")[1]?.trigger("click");
    expect(shown.text()).toContain("1 · 3:12");
    expect(shown.text()).not.toContain("等192");

    await shown.setProps({ now: NOW + 60_000 });
    expect(shown.text()).toContain("等192");
  });
});
