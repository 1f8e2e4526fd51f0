import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import Composer from "@/features/composer/Composer.vue";
import { i18n, speak } from "@/locales/i18n.ts";

const ANSWER = {
  mine: { version: 1, phrases: [{ id: "m1", title: "我的开场", words: "{买家}您好，我是小陈", uses: 0 }] },
  shop: { version: 3, phrases: [{ id: "s1", title: "发货时间", words: "订单 {订单号} 今天发出", uses: 2 }, { id: "s2", title: "结束语", words: "祝您生活愉快", uses: 9 }] },
};
const core = { get: vi.fn(), call: vi.fn() };
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: {} }) }));
enableAutoUnmount(afterEach);

beforeEach(async () => {
  document.body.replaceChildren();
  core.get.mockReset().mockResolvedValue(ANSWER);
  core.call.mockReset().mockResolvedValue({});
  await speak("zh-CN");
});

function shown(draft = "") {
  const props = { draft, refusal: null, maySend: true, values: { 买家: "王小明" } };
  const composer = mount(Composer, { props, global: { plugins: [i18n] }, attachTo: document.body });
  const area = composer.get("textarea");
  return {
    composer,
    area,
    field: () => composer.get<HTMLInputElement>("[role=combobox]"),
    titles: () => composer.findAll("[role=option] .title").map((one) => one.text()),
    isOpen: () => composer.find("[role=combobox]").exists(),
  };
}

type Shown = ReturnType<typeof shown>;

async function slash({ area }: Shown, key = "/") {
  area.element.focus();
  await area.setValue(key);
  await flushPromises();
}

describe("quick replies", () => {
  it.each(["/", "、"])("are found by %s and initials, and stand where one writes, filled in", async (key) => {
    const { composer, area, field, titles, isOpen } = shown();
    await slash({ composer, area, field, titles, isOpen }, key);
    expect(titles()).toEqual(["我的开场", "发货时间", "结束语"]);
    expect(document.activeElement).toBe(field().element);

    await field().setValue("wdk");
    expect(titles()).toEqual(["我的开场"]);
    await field().trigger("keydown", { key: "Enter" });

    expect(isOpen()).toBe(false);
    expect(area.element.value).toBe("王小明您好，我是小陈");
    expect(document.activeElement).toBe(area.element);
    expect(composer.emitted("draft")?.at(-1)).toEqual(["王小明您好，我是小陈", key]);
    expect(core.call).toHaveBeenCalledExactlyOnceWith("POST", "/v1/phrases/m1/use", {});
  });

  it("come by Alt Q at the caret, several in one message", async () => {
    const { area, field } = shown("在的。谢谢");
    area.element.focus();
    area.element.setSelectionRange(3, 3);

    for (const wanted of ["jsy", "结束"]) {
      window.dispatchEvent(new KeyboardEvent("keydown", { code: "KeyQ", altKey: true }));
      await flushPromises();
      await field().setValue(wanted);
      await field().trigger("keydown", { key: "Enter" });
    }

    expect(area.element.value).toBe("在的。祝您生活愉快祝您生活愉快谢谢");
  });

  it("are sent only once everything in them is filled in", async () => {
    const one = shown();
    const { composer, area, field } = one;
    await slash(one);
    await field().trigger("keydown", { key: "ArrowDown" });
    await field().trigger("keydown", { key: "Enter" });
    expect(area.element.value).toBe("订单 {订单号} 今天发出");
    expect([area.element.selectionStart, area.element.selectionEnd]).toEqual([3, 8]);

    area.element.setSelectionRange(0, 0);
    await area.trigger("keydown", { key: "Enter" });
    expect(composer.emitted("send")).toBeUndefined();
    expect([area.element.selectionStart, area.element.selectionEnd]).toEqual([3, 8]);
    expect(composer.get("[role=status]").text()).toContain("{订单号}");

    await area.setValue("订单 T1 今天发出");
    await area.trigger("keydown", { key: "Enter" });
    expect(composer.emitted("send")).toEqual([["订单 T1 今天发出"]]);
  });

  it("are walked by arrows all the way round, and by a press", async () => {
    const one = shown();
    const { composer, area, field } = one;
    await slash(one);

    await field().trigger("keydown", { key: "ArrowUp" });
    expect(composer.get("[aria-selected=true]").text()).toContain("结束语");
    expect(field().attributes("aria-activedescendant")).toBe(composer.get("[aria-selected=true]").attributes("id"));
    await composer.findAll("[role=option]")[2]?.trigger("click");

    expect(area.element.value).toBe("祝您生活愉快");
  });

  it("close by Escape, and nothing that was typed is lost", async () => {
    const one = shown();
    const { area, field, isOpen } = one;
    await slash(one);

    await field().trigger("keydown", { key: "Escape" });

    expect(isOpen()).toBe(false);
    expect(area.element.value).toBe("/");
    expect(document.activeElement).toBe(area.element);
    await area.setValue("/v1");
    expect(isOpen()).toBe(false);
  });

  it("leave an input method its keys", async () => {
    const one = shown();
    const { area, field, isOpen } = one;
    await slash(one);

    await field().trigger("compositionstart");
    await field().trigger("keydown", { key: "Enter" });

    expect(isOpen()).toBe(true);
    expect(area.element.value).toBe("/");
  });

  it("say when nothing matches", async () => {
    const one = shown();
    await slash(one);
    await one.field().setValue("没有这样的");
    expect(one.composer.get("[role=dialog] [role=status]").text()).toBe("没有匹配的快捷回复");
  });

  it("are shown as they were known while the platform is away", async () => {
    core.get.mockRejectedValue(new Error("away"));
    const one = shown();
    await slash(one);

    expect(one.titles()).toEqual(["我的开场", "发货时间", "结束语"]);
  });
});
