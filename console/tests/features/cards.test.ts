import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { answerTo, cardIn, idOf, orderCard, type Card } from "@/core/cards.ts";
import { itemOf } from "@/core/frames.ts";
import { bodyOf } from "@/core/noting.ts";
import { presses } from "@/core/presses.ts";
import type { Pending } from "@/core/types.ts";
import CardActions from "@/features/widget/CardActions.vue";
import { i18n, speak } from "@/locales/i18n.ts";

const MESSAGE = "01939c2e-8a00-8000-8000-000000000001";
const OFFER = orderCard({ id: "o1", text: "订单 T0042", confirm: "地址没错", until: Date.now() + 60_000 });
const CONFIRM = { id: "confirm_address", label: "地址没错", route: "/v1/orders/o1/address-confirmation" };
const RATING: Card = { card: "rating", v: 1, ref: "c1", text: "请打分", actions: [{ id: "rate", label: "评价", route: "/v1/conversations/c1/rating" }] };

enableAutoUnmount(afterEach);
beforeEach(() => speak("zh-CN"));

describe("a card on the wire", () => {
  it("is read with what may be pressed, and of another kind its text alone", () => {
    expect(cardIn(OFFER)?.actions).toEqual([CONFIRM]);
    for (const other of [null, "x", { text: "x" }, { ...OFFER, card: "coupon" }, { ...OFFER, card: "toString" }, { ...OFFER, v: 2 }, { ...OFFER, ref: "../me" }]) expect(cardIn(other)).toBeNull();
    const frame = { t: "ev", id: "m", position: [0, 1] as const, type: "chat.message.v1", time: "2026-11-11T10:00:00.000Z", d: { kind: "card", d: { card: "coupon", text: "满 100 减 10" } } };
    expect(itemOf(frame)).toMatchObject({ text: "满 100 减 10" });
    expect(itemOf(frame)).not.toHaveProperty("card");
    expect(itemOf({ ...frame, d: { kind: "card", d: OFFER } })?.card).toEqual({ ...OFFER, actions: [CONFIRM] });
  });

  it("never leads where its kind does not", () => {
    const led = { ...OFFER, actions: [{ ...CONFIRM, route: "/v1/orders/o1/close" }, { ...CONFIRM, id: "close" }, { ...CONFIRM, id: "constructor" }] };

    expect(cardIn(led)?.actions).toEqual([]);
  });

  it("is said as a card, and its answer under an id that a gateway takes", () => {
    const pending: Pending = { id: "x", conversation: "c1", text: OFFER.text, card: OFFER, firstTriedAt: 0, written: false, state: "queued" };

    expect(bodyOf(pending)).toEqual({ kind: "card", d: OFFER });
    expect(idOf(MESSAGE, CONFIRM.id)).toMatch(/^[0-9A-Za-z-]{8,64}$/);
    expect(answerTo(OFFER, MESSAGE, CONFIRM)).toEqual({ card: "order", v: 1, ref: "o1", text: "地址没错", answers: MESSAGE, action: "confirm_address" });
  });
});

describe("a press", () => {
  it("is done first and told then, each under a name of its own, and stars are told by their score", async () => {
    const done: unknown[] = [];
    const press = presses(async (...given) => void done.push(given), async (...given) => void done.push(given));

    await press(OFFER, MESSAGE, CONFIRM);
    await press(RATING, MESSAGE, RATING.actions![0]!, { score: 5 });

    expect(done).toEqual([
      [CONFIRM.route, {}, { key: `${MESSAGE}:confirm_address` }],
      [answerTo(OFFER, MESSAGE, CONFIRM), idOf(MESSAGE, CONFIRM.id)],
      ["/v1/conversations/c1/rating", { score: 5 }, { key: `${MESSAGE}:rate` }],
    ]);
  });

  it("tells nobody what was not done", async () => {
    const say = vi.fn();

    await expect(presses(() => Promise.reject(new Error("no")), say)(OFFER, MESSAGE, CONFIRM)).rejects.toThrow("no");

    expect(say).not.toHaveBeenCalled();
  });
});

describe("a card in a buyer's chat", () => {
  const shown = (given: Partial<{ card: Card; isPressed: boolean; press: () => Promise<void> }> = {}) =>
    mount(CardActions, { props: { card: OFFER, message: MESSAGE, isPressed: false, score: null, press: vi.fn().mockResolvedValue(undefined), ...given }, global: { plugins: [i18n] } });

  it("offers what may be pressed, until it was pressed or is over", () => {
    expect(shown().get("button").text()).toBe("地址没错");
    expect(shown({ isPressed: true }).find("button").exists()).toBe(false);
    expect(shown({ card: { ...OFFER, valid_until: "2020-01-01T00:00:00.000Z" } }).find("button").exists()).toBe(false);
  });

  it.each([
    ["already_settled", "已经处理过了", false],
    ["unreachable", "请再试一次", true],
  ])("says what became of a press that was refused: %s", async (code, words, isOffered) => {
    const card = shown({ press: () => Promise.reject({ code }) });
    await card.get("button").trigger("click");
    await flushPromises();

    expect(card.text()).toContain(words);
    expect(card.find("button").exists()).toBe(isOffered);
  });

  it("takes stars where it asks for them", async () => {
    const press = vi.fn().mockResolvedValue(undefined);
    const card = shown({ card: RATING, press });
    await card.findAll("input")[3]?.setValue();
    await card.get("form").trigger("submit");
    await flushPromises();

    expect(press).toHaveBeenCalledExactlyOnceWith(RATING, MESSAGE, RATING.actions?.[0], { score: 4 });
  });
});
