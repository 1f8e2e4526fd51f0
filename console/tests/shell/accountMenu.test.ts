import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { EMPTY, type Me } from "@/core/types.ts";
import { i18n } from "@/locales/i18n.ts";
import { applyPreferences, chooseLanguage, chooseTheme } from "@/preferences.ts";
import AccountMenu from "@/shell/AccountMenu.vue";

const core = { signOut: vi.fn<() => Promise<void>>() };
const words: { drafts: Record<string, string> } = { drafts: {} };
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: { ...EMPTY, ...words, me: { name: "客服1号" } as Me } }) }));
vi.mock("@/core/page.ts", () => ({ slotOfTab: () => 0, useSlot: vi.fn() }));

async function choose(word: string): Promise<void> {
  const menu = mount(AccountMenu, { global: { plugins: [i18n] }, attachTo: document.body });
  menu.get("button").element.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  await flushPromises();
  const items = [...document.querySelectorAll<HTMLElement>("[role^=menuitem]")];
  items.find((item) => item.textContent?.includes(word))?.click();
  await flushPromises();
}

describe("the account's menu", () => {
  beforeEach(async () => {
    document.body.replaceChildren();
    localStorage.clear();
    words.drafts = {};
    core.signOut.mockReset().mockResolvedValue();
    await applyPreferences();
  });
  afterEach(async () => {
    chooseTheme("system");
    await chooseLanguage("zh-CN");
  });

  it("changes the theme at once and keeps it for the next first paint", async () => {
    await choose("深色");
    expect(document.documentElement.dataset.theme).toBe("dark");
    expect(localStorage.getItem("peakdesk.theme")).toBe("dark");
  });

  it("makes rows compact", async () => {
    await choose("紧凑");
    expect(document.documentElement.dataset.density).toBe("compact");
  });

  it("speaks the other language without a reload", async () => {
    await choose("English");
    await vi.waitFor(() => expect(document.documentElement.lang).toBe("en"));
    expect(localStorage.getItem("peakdesk.language")).toBe("en");
  });

  it("signs out, and gives the slot free", async () => {
    localStorage.setItem("peakdesk.slots", "0,3");
    await choose("退出");
    expect(core.signOut).toHaveBeenCalledOnce();
    expect(localStorage.getItem("peakdesk.slots")).toBe("3");
  });

  it("says before it signs out which words go with it, and asks once", async () => {
    words.drafts = { c1: "没写完" };
    await choose("退出");
    expect(core.signOut).not.toHaveBeenCalled();
    const dialog = document.querySelector<HTMLElement>("[role=dialog]");
    expect(dialog?.textContent).toContain("还有 1 条草稿");

    [...(dialog?.querySelectorAll("button") ?? [])].find((button) => button.textContent?.includes("退出登录"))?.click();
    await flushPromises();
    expect(core.signOut).toHaveBeenCalledOnce();
  });

  it("keeps the slot taken when signing out did not work", async () => {
    localStorage.setItem("peakdesk.slots", "0");
    core.signOut.mockRejectedValue({ code: "unavailable", title: "" });
    await choose("退出");
    expect(localStorage.getItem("peakdesk.slots")).toBe("0");
  });
});
