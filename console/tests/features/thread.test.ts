import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { defineComponent, h } from "vue";

import type { Conversation, Item, Pending } from "@/core/types.ts";
import { rows, type Beside } from "@/features/thread/entries.ts";
import Thread from "@/features/thread/Thread.vue";
import { i18n } from "@/locales/i18n.ts";
import { zone } from "@/zone.ts";

const scrolled = vi.fn();
const STAFF = { items: [{ id: "a1", name: "小陈" }, { id: "a2", name: "主管" }], next_cursor: null };
const core = { call: vi.fn(async (...asked: unknown[]) => asked), get: vi.fn<(path: string) => Promise<unknown>>(async () => STAFF) };
vi.mock("@/live.ts", async (original) => ({ ...(await original<object>()), useLive: () => ({ core }) }));

/** The list without measuring, which needs a browser: every row is there. */
vi.mock("virtua/vue", () => ({
  Virtualizer: defineComponent({
    props: { data: { type: Array, required: true }, shift: Boolean },
    setup: (props, { slots, expose }) => {
      expose({ scrollToIndex: scrolled });
      return () => h("ol", { "data-shift": String(props.shift) }, props.data.map((item) => h("li", slots.default?.({ item }))));
    },
  }),
}));

const NOON = new Date(2026, 10, 11, 12).getTime();
const MINUTE = 60_000;
let sequence = 0;

function said(by: "buyer" | "agent", at: number, text = "在吗", senderId: string = by): Item {
  sequence += 1;
  return { id: `m${sequence}`, position: [1, sequence], at, type: "chat.message.v1", by, senderId, clientId: by === "agent" ? `c${sequence}` : null, text };
}

function talk(items: Item[], more: Partial<Conversation> = {}): Conversation {
  return { id: "a", buyer: "王小明", buyerId: "b", items, last: null, waitingSince: null, isFirst: true, readUpTo: null, maySend: true, unread: 0, firstUnread: null, older: "none", ...more };
}

const beside = (more: Partial<Beside> = {}): Beside => ({ outbox: [], me: "agent", warned: {}, newFrom: null, ...more });

beforeEach(() => {
  sequence = 0;
  scrolled.mockReset();
  zone.value = undefined;
});
enableAutoUnmount(afterEach);

describe("rows of a thread", () => {
  it("go on as one group while one speaks within two minutes", () => {
    const shown = rows(talk([said("buyer", NOON), said("buyer", NOON + MINUTE), said("buyer", NOON + 4 * MINUTE), said("agent", NOON + 4 * MINUTE)]), beside());

    expect(shown.map((row) => row.begins)).toEqual([true, false, true, true]);
    expect(shown.map((row) => row.ends)).toEqual([false, true, true, true]);
  });

  it("say a day once, and that of the first only where nothing is older", () => {
    const items = [said("buyer", NOON - 24 * 60 * MINUTE), said("buyer", NOON), said("buyer", NOON + 1)];

    expect(rows(talk(items), beside()).map((row) => row.isDay)).toEqual([true, true, false]);
    expect(rows(talk(items, { older: "more" }), beside()).map((row) => row.isDay)).toEqual([false, true, false]);
  });

  it("say where a moment is, unless that stands before what is known", () => {
    const items = [said("buyer", NOON), said("agent", NOON + MINUTE), said("buyer", NOON + 2 * MINUTE)];
    const places = (place: number | null, more: Partial<Conversation> = {}) => rows(talk(items, more), beside({ place })).map((row) => row.isPlace);

    expect(places(NOON + 1)).toEqual([false, true, false]);
    expect(places(NOON - 1)).toEqual([true, false, false]);
    expect(places(NOON - 1, { older: "more" })).toEqual([false, false, false]);
    expect(places(NOON, { older: "more" })).toEqual([true, false, false]);
    expect(places(null)).toEqual([false, false, false]);
  });

  it("keep the key of what was sent when it stands in the log", () => {
    const pending: Pending = { id: "c1", conversation: "a", text: "在的", firstTriedAt: NOON, written: true, state: "sending" };

    const before = rows(talk([]), beside({ outbox: [pending] }));
    const after = rows(talk([said("agent", NOON, "在的")]), beside({ outbox: [pending] }));

    expect(before.map((row) => [row.key, row.state])).toEqual([["c1", "sending"]]);
    expect(after.map((row) => [row.key, row.state])).toEqual([["c1", "delivered"]]);
  });

  it("say of each that failed that it did, so that none is overlooked", () => {
    const failed = (id: string): Pending => ({ id, conversation: "a", text: id, firstTriedAt: NOON, written: true, state: "failed" });

    expect(rows(talk([]), beside({ outbox: [failed("c1"), failed("c2")] })).map((row) => row.ends)).toEqual([true, true]);
  });
});

async function shown(conversation: Conversation, more: Record<string, unknown> = {}) {
  const thread = mount(Thread, { props: { conversation, me: "agent", pending: [], now: NOON, ...more }, global: { plugins: [i18n] }, attachTo: document.body });
  await flushPromises();
  return thread;
}

describe("the thread", () => {
  it("names who speaks and when once for a group, and says how far own words came", async () => {
    const items = [said("buyer", NOON), said("buyer", NOON + 1), said("agent", NOON + 2)];
    const thread = await shown(talk(items, { readUpTo: [1, 3] }));

    expect(thread.findAll(".head .speaker").map((one) => one.text())).toEqual(["王小明"]);
    expect(thread.get(".foot").text()).toContain("已读");
    expect(thread.text()).toContain("今天");
  });

  it("names each colleague who speaks or gets the conversation, and not oneself", async () => {
    const handed = (to: string, at: number): Item => ({ ...said("agent", at, "", to), type: "conversation.transferred.v1", told: { handed: { from: "a1", to, by: to, group: "g", isTaken: true } } });
    const items = [said("agent", NOON, "在的", "a1"), handed("a2", NOON + 1), said("agent", NOON + 2, "我来", "a2"), said("agent", NOON + 3, "您说", "a1"), handed("agent", NOON + 4), said("agent", NOON + 5, "好", "gone")];
    const thread = await shown(talk(items));
    await flushPromises();

    expect(core.get).toHaveBeenCalledExactlyOnceWith("/v1/agents?limit=200");
    expect(thread.findAll(".head .speaker").map((one) => one.text())).toEqual(["小陈", "主管", "小陈", "同事"]);
    expect(thread.findAll(".event").map((one) => one.text())).toEqual(["12:00 会话已被接管：主管", "12:00 会话已被接管"]);
  });

  it("tells buyers apart who have no name", async () => {
    const thread = await shown(talk([said("buyer", NOON)], { buyer: "", buyerId: "01920000-0000-7000-8000-00000000c0de" }));

    expect(thread.get("h1").text()).toBe("买家 C0DE");
    expect(thread.get(".head .speaker").text()).toBe("买家 C0DE");
  });

  it("says times and days by the shop's clocks", async () => {
    zone.value = "Asia/Shanghai";
    const [late, night] = [Date.UTC(2026, 10, 11, 15, 30), Date.UTC(2026, 10, 11, 20, 30)];
    const thread = await shown(talk([said("buyer", late), said("buyer", night)]), { now: night });

    expect(thread.findAll(".line").map((one) => one.text())).toEqual(["昨天", "今天"]);
    expect(thread.findAll(".head time").map((one) => one.text())).toEqual(["23:30", "04:30"]);
  });

  it("opens where one stopped reading, and says so there", async () => {
    const items = [said("buyer", NOON), said("buyer", NOON + 1), said("buyer", NOON + 2)];
    const thread = await shown(talk(items, { firstUnread: "m2" }));

    expect(scrolled).toHaveBeenCalledExactlyOnceWith(1, { align: "start" });
    expect(thread.findAll("li")[1]?.text()).toContain("以下是新消息");
  });

  it("opens at its end where everything was read", async () => {
    await shown(talk([said("buyer", NOON), said("buyer", NOON + 1)]));

    expect(scrolled).toHaveBeenCalledExactlyOnceWith(1, { align: "end" });
  });

  it("puts what is older in front without going to the end", async () => {
    const [first, second, third] = [said("buyer", NOON - 2), said("buyer", NOON - 1), said("buyer", NOON)] as [Item, Item, Item];
    const thread = await shown(talk([third], { older: "loading" }));
    scrolled.mockReset();
    const shifts: (string | undefined)[] = [];
    const seen = new MutationObserver(() => shifts.push(thread.get("ol").attributes("data-shift")));
    seen.observe(thread.get("ol").element, { attributes: true });

    await thread.setProps({ conversation: talk([first, second, third]) });
    await flushPromises();

    expect(thread.findAll("li")).toHaveLength(3);
    expect(shifts[0]).toBe("true");
    expect(scrolled).not.toHaveBeenCalled();
  });

  it("asks for what is older near its top once it stands where it opens, and lets one try again what failed", async () => {
    const thread = await shown(talk([said("buyer", NOON)], { older: "more" }));
    await thread.get("[role=log]").trigger("scroll");
    expect(thread.emitted("older")).toBeUndefined();
    await vi.waitFor(() => expect(thread.emitted("older")).toHaveLength(1));

    await thread.setProps({ conversation: talk([said("buyer", NOON)], { older: "failed" }) });
    expect(thread.get("[role=status]").text()).toContain("历史暂时取不到");
    await thread.get("[role=status] button").trigger("click");
    expect(thread.emitted("older")).toHaveLength(2);
  });

  it("is grey lines until it is known what was said, then says that nobody said anything", async () => {
    const thread = await shown(talk([], { maySend: null }));
    expect(thread.get("[role=status]").attributes("aria-label")).toBe("正在取聊天记录");

    await thread.setProps({ conversation: talk([]) });
    expect(thread.text()).toContain("还没有人说话");
  });

  it("names below an own message the words that the gate let pass", async () => {
    const items = [said("agent", NOON, "爱买不买")];
    const warned = { c1: [{ category: "attitude", start: 0, end: 4, surface: "爱买不买" }] };

    const foot = (await shown(talk(items), { warned })).get(".foot");
    expect(foot.text()).toContain("「爱买不买」请注意措辞");

    await foot.get("button").trigger("click");
    await flushPromises();

    expect(core.call.mock.calls[0]?.slice(0, 3)).toEqual(["POST", "/v1/monitor/flags/m1/feedback", { verdict: "not_abusive" }]);
    expect(foot.text()).toContain("已反馈给主管");
  });

  it("offers to send again, or to drop, what failed", async () => {
    const failed: Pending = { id: "c9", conversation: "a", text: "在的", firstTriedAt: NOON, written: true, state: "failed" };
    const thread = await shown(talk([said("buyer", NOON)]), { pending: [failed] });
    const [again, drop] = thread.findAll(".foot button");

    await again?.trigger("click");
    await drop?.trigger("click");

    expect(thread.emitted("retry")).toEqual([["c9"]]);
    expect(thread.emitted("discard")).toEqual([["c9"]]);
  });
});
