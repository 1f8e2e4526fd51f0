import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";

import type { Card } from "@/core/cards.ts";
import { EMPTY, type How, type Me, type State } from "@/core/types.ts";
import ContextPane from "@/features/context/ContextPane.vue";
import { fenOf, mayCheck, type Case, type Order } from "@/features/context/trade.ts";
import { i18n, speak } from "@/locales/i18n.ts";

const ORDER: Order = {
  id: "o1",
  external_id: "T0042",
  state: "paid",
  version: 3,
  address: { name: "陈*平", phone: "138****8000", text: "浙江省杭州市西湖区***", masked: true },
  address_result: null,
  ask_again_at: null,
  interlocks: ["address_unverified"],
  lines: [{ sku: "K-1", title: "卫衣 灰 L", quantity: 2, price_fen: 9_950 }],
  total_fen: 19_900,
  paid_fen: 19_900,
  refunded_fen: 0,
  placed_at: "2026-11-11T10:00:00.000Z",
  paid_at: "2026-11-11T10:01:00.000Z",
};
const CASE: Case = { id: "c1", order_id: "o1", state: "requested", version: 1, amount_fen: 5_000, buyer_reason: "尺码偏大", agreed_reason: null, review_note: null, due_at: null, opened_at: "2026-11-11T10:05:00.000Z" };
const BUYER = { name: "陈*平", phone: "138****8000", address: "" };
const WHOLE = { name: "陈小平", phone: "13812348000", address: "" };

let live: State;
let answers: Record<string, unknown>;
const core = {
  get: vi.fn(async (path: string): Promise<unknown> => {
    const found = Object.entries(answers).find(([start]) => path.startsWith(start));
    if (found === undefined) throw { code: "unavailable", title: "", trace: "t-1" };
    return found[1];
  }),
  sendCard: vi.fn<(conversation: string, card: Card) => Promise<void>>(async () => undefined),
  call: vi.fn<(method: string, path: string, body?: unknown, how?: How) => Promise<unknown>>(),
};
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live }) }));

enableAutoUnmount(afterEach);
afterEach(() => vi.useRealTimers());

beforeEach(async () => {
  await speak("zh-CN");
  live = shallowReactive({ ...EMPTY, session: "in" as const, me: { id: "me", name: "小陈", role: "agent", shopId: "s", state: "online" } as Me });
  live.conversations = { a: { items: [] } as never };
  answers = {
    "/v1/orders?": { items: [ORDER], next_cursor: null },
    "/v1/orders/o1/remarks": { items: [] },
    "/v1/work-items?": { items: [{ id: "w", agent_id: "me", also: null, due_at: "2026-11-11T12:00:00.000Z" }], next_cursor: null },
    "/v1/cases?": { items: [CASE], next_cursor: null },
    "/v1/conversations?": { items: [{ id: "a" }, { id: "old", state: "closed", agent_id: "p2", opened_at: "2026-11-10T10:00:00.000Z", closed_at: null, score: 5, head: { preview: "谢谢", by: "buyer" } }], next_cursor: null },
    "/v1/conversations/a": { buyer: BUYER },
    "/v1/agents": { items: [{ id: "p2", name: "小王" }] },
  };
  core.get.mockClear();
  core.sendCard.mockClear();
  core.call.mockReset().mockResolvedValue({});
});

async function shown() {
  const pane = mount(ContextPane, { props: { conversation: { id: "a", buyerId: "b" } }, global: { plugins: [i18n] }, attachTo: document.body });
  await flushPromises();
  const press = async (name: string) => {
    await pane.get(`form[aria-label="${name}"]`).trigger("submit");
    await flushPromises();
  };
  const begin = async (name: string) => {
    await pane.findAll("button").find((one) => one.text() === name)?.trigger("click");
    await flushPromises();
  };
  const turn = async (to: string) => {
    await pane.findAll("[role=tab]").find((one) => one.text().includes(to))?.trigger("mousedown", { button: 0 });
    await flushPromises();
  };
  return { pane, press, begin, turn };
}

describe("what stands beside the chat", () => {
  it("names what keeps an order from being printed, and whose the check is", async () => {
    const { pane } = await shown();

    expect(pane.text()).toContain("不能打印：地址未核对");
    expect(pane.text()).toContain("核对地址由您处理");
    expect(pane.text()).toContain("¥199.00");
    expect(pane.text()).toContain("卫衣 灰 L");
  });

  it("checks the address on the version that is shown, and shows what came of it", async () => {
    const { pane, begin, press } = await shown();
    await begin("核对地址");
    answers["/v1/orders?"] = { items: [{ ...ORDER, state: "released", version: 5, interlocks: [], address_result: "verified" }], next_cursor: null };

    await press("核对地址");

    expect(core.call).toHaveBeenCalledExactlyOnceWith("POST", "/v1/orders/o1/address-verification", { result: "verified" }, { key: expect.any(String), version: 3 });
    expect(pane.text()).toContain("待打印");
    expect(pane.text()).not.toContain("不能打印");
  });

  it("says a command again under the same key while nobody answers, and another one under another", async () => {
    const { pane, begin, press } = await shown();
    await begin("备注");
    await pane.get("textarea").setValue("今天发");
    core.call.mockRejectedValue({ code: "unreachable", title: "" });

    await press("备注");
    expect(pane.text()).toContain("没有做成：连不上平台");
    await press("备注");
    await pane.get("textarea").setValue("明天发");
    await press("备注");

    const keys = core.call.mock.calls.map(([, , , how]) => how?.key);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
    expect(pane.get("textarea").element.value).toBe("明天发");
  });

  it("brings who is done with a form back to where he opened it", async () => {
    const { pane, begin, press } = await shown();
    await begin("备注");
    await pane.get("form textarea").trigger("keydown", { key: "Escape" });
    await flushPromises();
    expect(document.activeElement?.textContent).toBe("备注");

    await begin("核对地址");
    answers["/v1/orders?"] = { items: [{ ...ORDER, state: "released", version: 5, interlocks: [], address_result: "verified" }], next_cursor: null };
    await press("核对地址");
    await begin("备注");
    await pane.get("form textarea").setValue("今天发");
    await press("备注");

    expect(document.activeElement?.textContent).toBe("备注");
  });

  it("sends an order as a card, and looks at it again once its buyer pressed something", async () => {
    live.conversations = { a: { items: [], maySend: true } as never };
    const { pane, begin } = await shown();
    await begin("发给买家");

    const [conversation, card] = core.sendCard.mock.calls[0] ?? [];
    expect(conversation).toBe("a");
    expect(card).toMatchObject({ card: "order", ref: "o1", actions: [{ id: "confirm_address", label: "地址没错", route: "/v1/orders/o1/address-confirmation" }] });
    expect(card?.text).toBe("订单 T0042\n卫衣 灰 L ×2\n合计 ¥199.00\n收货：陈*平 138****8000 浙江省杭州市西湖区***");

    answers["/v1/orders?"] = { items: [{ ...ORDER, state: "released", version: 5, interlocks: [], address_result: "verified" }], next_cursor: null };
    live.conversations = { a: { items: [{ card: { answers: "m" } }], maySend: true } as never };
    await flushPromises();
    expect(pane.text()).toContain("地址已核对");
    await begin("发给买家");
    expect(core.sendCard.mock.calls[1]?.[1].actions).toBeUndefined();
  });

  it("sends no card where one may not speak", async () => {
    const { pane } = await shown();

    expect(pane.text()).not.toContain("发给买家");
  });

  it("offers the check to nobody else", async () => {
    answers["/v1/work-items?"] = { items: [{ id: "w", agent_id: "p2", also: null, due_at: "2026-11-11T12:00:00.000Z" }], next_cursor: null };
    const { pane } = await shown();

    expect(pane.findAll("button").map((one) => one.text())).not.toContain("核对地址");
    expect(pane.text()).toContain("核对地址由小王处理");
    expect(mayCheck(ORDER, [], { id: "x", role: "supervisor" })).toBe(true);
  });

  it("tells how far a refund is", async () => {
    const { pane, turn } = await shown();
    await turn("售后");

    expect(pane.text()).toContain("尺码偏大");
    expect(pane.findAll("button").map((one) => one.text())).not.toContain("同意退款");
  });

  it("lets who decides on refunds decide", async () => {
    live.me = { ...(live.me as Me), role: "aftersales" };
    const { pane, begin, press, turn } = await shown();
    await turn("售后");
    await begin("同意退款");
    await pane.get("textarea").setValue("同意");
    await press("同意退款");

    expect(core.call).toHaveBeenCalledWith("POST", "/v1/cases/c1/review", { decision: "approve", note: "同意" }, { key: expect.any(String), version: 1 });
  });

  it("finds an order by its number for who came without an account", async () => {
    answers = { "/v1/orders?external_id=T0042": { items: [ORDER], next_cursor: null }, ...answers, "/v1/orders?": { items: [], next_cursor: null } };
    const { pane } = await shown();
    expect(pane.text()).toContain("没有订单");

    await pane.get("input[type=search]").setValue(" T0042 ");
    await pane.get("form[role=search]").trigger("submit");
    await flushPromises();

    expect(pane.text()).toContain("不能打印：地址未核对");
    expect(pane.text()).toContain("卫衣 灰 L");
  });

  it("opens what the buyer came for before", async () => {
    const { pane, turn } = await shown();
    await turn("历史");
    await pane.findAll("button").find((one) => one.text().includes("谢谢"))?.trigger("click");

    expect(pane.emitted("look")).toEqual([["old"]]);
    expect(pane.text()).toContain("小王");
  });

  it("says what cannot be had, and goes on with what was there", async () => {
    delete answers["/v1/cases?"];
    const { pane, turn } = await shown();
    await turn("售后");
    expect(pane.text()).toContain("暂时取不到：平台暂时忙不过来");
    delete answers["/v1/orders?"];
    live.work += 1;
    await flushPromises();
    await turn("订单");

    expect(pane.text()).toContain("暂时更新不了，这是刚才的");
    expect(pane.text()).toContain("T0042");
  });

  it("shows a buyer whole for a minute", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { pane } = await shown();
    core.call.mockResolvedValue(WHOLE);
    expect(pane.text()).not.toContain(WHOLE.phone);

    await pane.get("section button").trigger("click");
    await flushPromises();
    expect(core.call).toHaveBeenCalledExactlyOnceWith("POST", "/v1/buyers/b/reveal", { reason: "phone" });
    expect(pane.text()).toContain(WHOLE.phone);
    vi.advanceTimersByTime(60_000);
    await flushPromises();

    expect(pane.text()).not.toContain(WHOLE.phone);
    expect(pane.text()).toContain(BUYER.phone);
  });

  it("asks who does not serve the buyer for words", async () => {
    live.conversations = {};
    const { pane } = await shown();

    await pane.get("section button").trigger("click");
    expect(core.call).not.toHaveBeenCalled();
    expect(pane.find("form").exists()).toBe(true);
  });

  it("marks what people wrote as a text of its own direction", async () => {
    const wild = `${"a\u0301".repeat(10_000)}\u202e`;
    answers["/v1/orders?"] = { items: [{ ...ORDER, external_id: wild, lines: [{ ...ORDER.lines[0], title: wild }] }], next_cursor: null };
    const { pane } = await shown();

    for (const element of pane.findAll("*").filter((one) => one.element.childElementCount === 0 && one.text().includes(wild.slice(0, 100)))) {
      expect(element.element.tagName).toBe("BDI");
    }
  });
});

describe("an amount as people type it", () => {
  it.each([
    ["199", 19_900],
    ["0.5", 50],
    ["12.34 ", 1_234],
    ["0", null],
    ["-1", null],
    ["1.234", null],
    ["一百", null],
  ])("%s is %s fen", (typed, fen) => expect(fenOf(typed)).toBe(fen));
});
