import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";

import { EMPTY, type Offer, type State } from "@/core/types.ts";
import { i18n, speak } from "@/locales/i18n.ts";
import DeskOffer from "@/places/DeskOffer.vue";

const core = { watch: vi.fn(), unwatch: vi.fn(), call: vi.fn() };
let live: State;
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live }) }));

enableAutoUnmount(afterEach);

const NOW = 100_000;
const OFFER: Offer = { id: "o1", conversation: "c9", buyer: "李*", waitingSince: NOW - 26_000, expiresAt: NOW + 8_000 };

beforeEach(async () => {
  vi.clearAllMocks();
  core.call.mockResolvedValue({});
  await speak("zh-CN");
  live = shallowReactive({ ...EMPTY, offers: [OFFER] });
});

async function shown(now = NOW) {
  const card = mount(DeskOffer, { props: { now }, global: { plugins: [i18n] } });
  await vi.dynamicImportSettled();
  await flushPromises();
  return card;
}

it("says who waits and for how long, and fetches what was said meanwhile", async () => {
  const card = await shown();

  expect(card.text()).toContain("李*");
  expect(card.text()).toContain("0:26");
  expect(card.text()).toContain("8 秒内可以接手");
  expect(core.watch).toHaveBeenCalledWith("c9");
});

it("makes the buyer one's own, once", async () => {
  const card = await shown();

  await (card.vm as unknown as { accept(): Promise<void> }).accept();
  await flushPromises();

  expect(core.call).toHaveBeenCalledWith("POST", "/v1/conversations/c9/offers/o1/accept", undefined, { key: "accept-o1" });
  expect(card.emitted("taken")).toEqual([["c9"]]);
  expect(card.text()).toBe("");
  expect(core.unwatch).toHaveBeenCalledWith("c9");
});

it("says why it came too late", async () => {
  core.call.mockRejectedValue({ code: "answered_meanwhile" });
  const card = await shown();

  await (card.vm as unknown as { accept(): Promise<void> }).accept();
  await flushPromises();

  expect(card.get("[role=alert]").text()).toBe("不用接手了：同事刚刚回复了");
  expect(card.emitted("taken")).toBeUndefined();
});

it("is gone when it is over, or declined", async () => {
  expect((await shown(NOW + 9_500)).text()).toBe("");
  const card = await shown();

  await card.findAll("button").at(-1)?.trigger("click");
  await flushPromises();

  expect(core.call).toHaveBeenCalledWith("POST", "/v1/conversations/c9/offers/o1/decline", undefined, { key: "decline-o1" });
  expect(card.text()).toBe("");
});
