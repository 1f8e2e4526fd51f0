import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { computed, ref, shallowRef } from "vue";

import { NOTHING, type Visited } from "@/core/visit.ts";
import type { Chat } from "@/features/widget/chat.ts";
import ChatPage from "@/features/widget/ChatPage.vue";
import { i18n, speak } from "@/locales/i18n.ts";

enableAutoUnmount(afterEach);

const SERVED = { id: "c1", version: 2, state: "assigned", agent: { name: "小陈", online: true }, ahead: null, score: null } as const;
const begin = vi.fn<() => Promise<void>>();

function shown(now: Partial<Visited>) {
  const visited = shallowRef<Visited>({ ...NOTHING, connection: "connected", ...now });
  const visit = { begin, draft: vi.fn(), send: vi.fn() } as unknown as Chat["visit"];
  const shop = shallowRef({ name: "示范店", greeting: "" });
  const chat: Chat = { visit, visited, shop, isNowhere: ref(false), isCutOff: computed(() => false), isShown: ref(true), isAsked: ref(true), isFramed: false, putAway: vi.fn(), seen: vi.fn() };
  return { visited, page: mount(ChatPage, { props: { chat }, global: { plugins: [i18n] }, attachTo: document.body }) };
}

describe("a shop's chat whose session ended", () => {
  beforeEach(async () => {
    document.body.replaceChildren();
    begin.mockReset().mockResolvedValue();
    await speak("zh-CN");
  });

  it("says so in place of who was online, and offers to begin anew", async () => {
    const { visited, page } = shown({ standing: SERVED, draft: "还没写完" });
    expect(page.get("header").text()).toContain("小陈 · 在线");
    expect(page.text()).not.toContain("重新开始");

    visited.value = { ...visited.value, isEnded: true, standing: null };
    await flushPromises();
    expect(page.get("header").text()).not.toContain("在线");
    expect(page.get("header [role=status]").text()).toBe("已断开");

    await page.findAll("button").find((one) => one.text() === "重新开始")?.trigger("click");
    await flushPromises();
    expect(begin).toHaveBeenCalledOnce();
    expect(page.get("textarea").element.value).toBe("还没写完");
    expect(document.activeElement).toBe(page.get("textarea").element);

    visited.value = { ...visited.value, isEnded: false };
    await flushPromises();
    expect(page.text()).not.toContain("重新开始");
  });

  it("says that it cannot begin where the platform refuses", async () => {
    begin.mockRejectedValue({ code: "too_many", title: "" });
    const { page } = shown({ isEnded: true });

    await page.findAll("button").find((one) => one.text() === "重新开始")?.trigger("click");
    await flushPromises();

    expect(page.text()).toContain("暂时不能重新开始");
  });
});
