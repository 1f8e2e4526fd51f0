import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";

import { EMPTY, type Me, type State } from "@/core/types.ts";
import PhrasesPage from "@/features/settings/PhrasesPage.vue";
import { i18n, speak } from "@/locales/i18n.ts";
import type { Phrase, Phrases } from "@/phrases.ts";

const HELLO: Phrase = { id: "p1", title: "问候", words: "您好", uses: 4 };
const BYE: Phrase = { id: "p2", title: "告别", words: "再见", uses: 0 };

let live: State;
let kept: Phrases;
const core = { get: vi.fn(), call: vi.fn() };
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live }) }));
enableAutoUnmount(afterEach);

beforeEach(async () => {
  kept = { mine: { version: 2, phrases: [HELLO, BYE] }, shop: { version: 0, phrases: [] } };
  core.get.mockReset().mockImplementation(async () => kept);
  core.call.mockReset();
  await speak("zh-CN");
});

async function page(role: string) {
  live = shallowReactive({ ...EMPTY, me: { id: "me", role } as Me });
  const shown = mount(PhrasesPage, { global: { plugins: [i18n] }, attachTo: document.body });
  await flushPromises();
  const button = (name: string) => shown.findAll("button").find((one) => one.text().startsWith(name) || one.attributes("aria-label") === name);
  return { shown, button, titles: () => shown.findAll("li .title").map((one) => one.text()) };
}

type Shown = Awaited<ReturnType<typeof page>>;

async function write({ shown }: Shown, title: string, words: string): Promise<void> {
  await shown.get("form input").setValue(title);
  await shown.get("form textarea").setValue(words);
  await shown.get("form").trigger("submit");
  await flushPromises();
}

describe("the page of quick replies", () => {
  it("keeps a new one behind one's others, against the version that is shown", async () => {
    const one = await page("agent");
    core.call.mockResolvedValue({ version: 3, phrases: [HELLO, BYE, { id: "p3", title: "发票", words: "可以开", uses: 0 }] });

    await one.button("添加")?.trigger("click");
    await write(one, " 发票 ", "可以开");

    const phrases = [{ id: "p1", title: "问候", words: "您好" }, { id: "p2", title: "告别", words: "再见" }, { title: "发票", words: "可以开" }];
    expect(core.call).toHaveBeenCalledExactlyOnceWith("PUT", "/v1/phrases/mine", { phrases }, { version: 2 });
    expect(one.titles()).toEqual(["问候", "告别", "发票"]);
    expect(one.shown.find("form").exists()).toBe(false);
  });

  it("changes one in its place, and lets one go", async () => {
    const one = await page("agent");
    core.call.mockResolvedValue({ version: 3, phrases: [HELLO] });

    await one.button("编辑“问候”")?.trigger("click");
    await write(one, "问候", "您好呀");
    await one.button("删除“问候”")?.trigger("click");
    await flushPromises();
    expect(document.querySelector("[role=dialog]")?.textContent).toContain("删除“问候”？");
    expect(core.call).toHaveBeenCalledTimes(1);
    [...document.querySelectorAll<HTMLButtonElement>("[role=dialog] button")].find((sure) => sure.textContent === "删除")?.click();
    await flushPromises();

    expect(core.call.mock.calls[0]?.[2]).toEqual({ phrases: [{ id: "p1", title: "问候", words: "您好呀" }, { id: "p2", title: "告别", words: "再见" }] });
    expect(core.call.mock.calls[1]?.slice(2)).toEqual([{ phrases: [] }, { version: 3 }]);
  });

  it("keeps what was written when somebody else was faster, and shows the new list", async () => {
    const one = await page("agent");
    core.call.mockRejectedValueOnce(Object.assign(new Error(), { code: "stale" }));

    await one.button("添加")?.trigger("click");
    kept = { ...kept, mine: { version: 7, phrases: [BYE] } };
    await write(one, "发票", "可以开");

    expect(one.shown.get("[role=alert]").text()).toContain("刚被别人改过");
    expect(one.titles()).toEqual(["告别"]);
    expect((one.shown.get("form textarea").element as HTMLTextAreaElement).value).toBe("可以开");
    core.call.mockResolvedValue({ version: 8, phrases: [] });
    await one.shown.get("form").trigger("submit");
    expect(core.call.mock.calls[1]?.slice(2)).toEqual([{ phrases: [{ id: "p2", title: "告别", words: "再见" }, { title: "发票", words: "可以开" }] }, { version: 7 }]);
  });

  it.each([
    ["agent", false],
    ["supervisor", true],
    ["admin", true],
  ])("lets a %s write the shop's: %s", async (role, mayWrite) => {
    const one = await page(role);
    await one.shown.findAll("[role=tab]")[1]?.trigger("mousedown", { button: 0 });
    await flushPromises();

    expect(one.button("添加") !== undefined).toBe(mayWrite);
    if (!mayWrite) return;
    core.call.mockResolvedValue({ version: 1, phrases: [HELLO] });
    await one.button("添加")?.trigger("click");
    await write(one, "问候", "您好");
    expect(core.call).toHaveBeenCalledExactlyOnceWith("POST", "/v1/phrases/sets", { phrases: [{ title: "问候", words: "您好" }], base: 0 });
  });

  it("says when they cannot be read, and reads them when asked again", async () => {
    core.get.mockRejectedValueOnce(Object.assign(new Error(), { code: "unreachable" }));
    const one = await page("agent");
    expect(one.shown.get("[role=status]").text()).toContain("暂时取不到");

    await one.button("重试")?.trigger("click");
    await flushPromises();

    expect(one.titles()).toEqual(["问候", "告别"]);
  });
});
