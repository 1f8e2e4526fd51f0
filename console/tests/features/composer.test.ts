import { enableAutoUnmount, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Left, Refusal } from "@/core/types.ts";
import Composer from "@/features/composer/Composer.vue";
import { i18n } from "@/locales/i18n.ts";

const core = { call: vi.fn<(method: string, path: string, body: unknown, how: { key: string }) => Promise<unknown>>() };
vi.mock("@/live.ts", async (original) => ({ ...(await original<object>()), useLive: () => ({ core }) }));

enableAutoUnmount(afterEach);
beforeEach(() => core.call.mockReset());

interface Given {
  draft?: string;
  refusal?: Refusal | null;
  maySend?: boolean;
  left?: Left["reason"] | null;
}

function shown({ draft = "", refusal = null, maySend = true, left = null }: Given = {}) {
  const composer = mount(Composer, { props: { draft, refusal, maySend, left }, global: { plugins: [i18n] }, attachTo: document.body });
  const area = composer.get("textarea");
  const send = composer.findAll("button").find((button) => button.text() === "发送");
  if (send === undefined) throw new Error("There is no button that sends.");
  return { composer, area, send };
}

const buttons = (composer: ReturnType<typeof shown>["composer"]) => composer.findAll("button").map((one) => one.text());

describe("the composer", () => {
  it("sends by Enter and by its button, once each, and is empty behind", async () => {
    const { composer, area, send } = shown();

    await area.setValue("在的");
    await area.trigger("keydown", { key: "Enter" });
    await area.trigger("keydown", { key: "Enter" });
    await area.setValue("您说");
    await send.trigger("click");
    await send.trigger("click");

    expect(composer.emitted("send")).toEqual([["在的"], ["您说"]]);
    expect(area.element.value).toBe("");
    expect(document.activeElement).toBe(area.element);
  });

  it("breaks the line by Shift and Enter, and leaves Enter to an input method", async () => {
    const { composer, area } = shown();

    await area.setValue("zai de");
    await area.trigger("keydown", { key: "Enter", shiftKey: true });
    await area.trigger("compositionstart");
    await area.trigger("keydown", { key: "Enter" });

    expect(composer.emitted("send")).toBeUndefined();
    expect(area.element.value).toBe("zai de");
  });

  it("lets nothing leave from a seat that was lost, and keeps the words", async () => {
    const { composer, area, send } = shown({ draft: "写了一半", maySend: false });

    await area.trigger("keydown", { key: "Enter" });

    expect(composer.emitted("send")).toBeUndefined();
    expect(send.attributes("disabled")).toBeDefined();
    expect(area.element.value).toBe("写了一半");
    expect(composer.get("[role=status]").text()).toContain("不再由您接待");

    await composer.setProps({ maySend: true });
    expect(composer.find("[role=status]").exists()).toBe(false);
    await area.trigger("keydown", { key: "Enter" });
    expect(composer.emitted("send")).toEqual([["写了一半"]]);
  });

  it("shows what was stopped, goes to the phrase, and sends nothing until the words change", async () => {
    const blocked: Refusal = { code: "blocked", text: "你傻逼啊", hits: [{ category: "insult", start: 1, end: 3, surface: "傻逼" }], id: "c1" };
    const { composer, area, send } = shown({ draft: blocked.text, refusal: blocked });

    await area.trigger("keydown", { key: "Enter" });
    expect(composer.emitted("send")).toBeUndefined();
    expect(send.attributes("disabled")).toBeDefined();
    expect(composer.get("[role=alert]").text()).toContain("「傻逼」");
    expect(composer.findAll("mark").map((one) => one.text())).toEqual(["傻逼"]);
    expect(buttons(composer)).toEqual(["改写", "快捷回复Alt Q", "发送"]);

    await composer.get("[role=alert] button").trigger("click");
    expect([area.element.selectionStart, area.element.selectionEnd]).toEqual([1, 3]);

    await area.setValue("你好");
    expect(composer.find("[role=alert]").exists()).toBe(false);
    expect(send.attributes("disabled")).toBeUndefined();
  });

  it("tells the leaders that the gate was wrong, once they can know of what, and by one key", async () => {
    vi.useFakeTimers();
    try {
      core.call.mockRejectedValueOnce(Object.assign(new Error("early"), { code: "not_found" }));
      core.call.mockResolvedValueOnce({});
      const blocked: Refusal = { code: "blocked", text: "你傻逼啊", hits: [{ category: "insult", start: 1, end: 3, surface: "傻逼" }], id: "c1", incident: "i1" };
      const { composer, send } = shown({ draft: blocked.text, refusal: blocked });

      await composer.findAll("button").find((one) => one.text() === "误判反馈")?.trigger("click");
      await vi.advanceTimersByTimeAsync(2_000);

      const [first, second] = core.call.mock.calls;
      expect(second).toEqual(first);
      expect(first?.slice(0, 3)).toEqual(["POST", "/v1/monitor/incidents/i1/feedback", { verdict: "not_abusive" }]);
      expect(composer.get("[role=alert]").text()).toContain("已反馈给主管");
      expect(send.attributes("disabled")).toBeDefined();
    } finally {
      vi.useRealTimers();
    }
  });

  it("asks why before it sends what may upset, and sends it as it stands with the reason, once", async () => {
    const asked: Refusal = { code: "confirm", text: "爱买不买", hits: [{ category: "attitude", start: 0, end: 4, surface: "爱买不买" }], id: "c1", confirm: "signed" };
    const { composer, area } = shown({ draft: asked.text, refusal: asked });
    await area.trigger("keydown", { key: "Enter" });
    expect(buttons(composer)).toEqual(["改写", "仍然发送", "快捷回复Alt Q", "发送"]);
    const anyway = composer.findAll("button")[1];
    const reason = composer.get("input");
    await anyway?.trigger("click");
    await reason.setValue("   ");
    await reason.trigger("keydown", { key: "Enter" });
    expect(composer.emitted("confirm")).toBeUndefined();
    await reason.setValue("长".repeat(201));
    await reason.trigger("keydown", { key: "Enter" });
    expect(composer.emitted("confirm")).toBeUndefined();
    await reason.setValue(" 买家问的 ");
    await reason.trigger("compositionstart");
    await reason.trigger("keydown", { key: "Enter" });
    expect(composer.emitted("confirm")).toBeUndefined();
    await reason.trigger("compositionend");

    await anyway?.trigger("click");
    await anyway?.trigger("click");

    expect(composer.emitted("confirm")).toEqual([["买家问的"]]);
    expect(composer.emitted("send")).toBeUndefined();
    expect(area.element.value).toBe("");
    expect(document.activeElement).toBe(area.element);
  });

  it("does not take its own words for news when they come back behind a send", async () => {
    const { composer, area } = shown();
    await area.setValue("在的");
    await area.trigger("keydown", { key: "Enter" });

    await composer.setProps({ draft: "在的" });
    await composer.setProps({ draft: "" });
    expect(area.element.value).toBe("");

    area.element.blur();
    await composer.setProps({ draft: "别处写的" });
    expect(area.element.value).toBe("别处写的");
    await composer.setProps({ draft: "" });
    expect(area.element.value).toBe("");
  });

  it("shows what another tab writes as long as nobody writes on here, also where the caret stands in it", async () => {
    const { composer, area } = shown({ draft: "您好" });
    area.element.focus();

    await composer.setProps({ draft: "您好，明天" });
    expect(area.element.value).toBe("您好，明天");

    await area.setValue("您好，明天发");
    await composer.setProps({ draft: "您好，没货" });
    expect(area.element.value).toBe("您好，明天发");
    expect(composer.emitted("draft")).toEqual([["您好，明天发", "您好，明天"]]);
  });

  it("is empty once another tab sent what stands here", async () => {
    const { composer, area } = shown({ draft: "在的" });
    area.element.focus();

    await composer.setProps({ draft: "" });

    expect(area.element.value).toBe("");
  });

  it("says what it replaced of another tab's words, and puts them behind its own", async () => {
    const { composer, area } = shown({ draft: "没货" });
    await composer.setProps({ displaced: "明天发" });
    expect(composer.get("[role=status]").text()).toContain("明天发");

    await composer.findAll("[role=status] button")[0]?.trigger("click");
    expect(area.element.value).toBe("没货\n明天发");
    expect(composer.emitted("draft")).toEqual([["没货\n明天发", "没货"]]);

    await composer.findAll("[role=status] button")[1]?.trigger("click");
    expect(composer.emitted("dismiss")).toHaveLength(1);
  });

  it("puts what was stopped before what was typed meanwhile, and says why", async () => {
    const blocked: Refusal = { code: "blocked", text: "你傻逼啊\n那", hits: [{ category: "insult", start: 1, end: 3, surface: "傻逼" }], id: "c1" };
    const { composer, area } = shown();
    area.element.focus();
    await area.setValue("那我");

    await composer.setProps({ draft: blocked.text, refusal: blocked });

    expect(area.element.value).toBe("你傻逼啊\n那我");
    expect(composer.emitted("draft")?.at(-1)).toEqual(["你傻逼啊\n那我", "那我"]);
    await composer.setProps({ draft: "你傻逼啊\n那我", refusal: null });
    expect(composer.get("[role=alert]").text()).toContain("「傻逼」");
  });

  it("gives words back behind an input method's, which loses none of either", async () => {
    const blocked: Refusal = { code: "blocked", text: "你傻逼啊", hits: [{ category: "insult", start: 1, end: 3, surface: "傻逼" }], id: "c1" };
    const { composer, area } = shown();
    area.element.focus();
    await area.trigger("compositionstart");
    area.element.value = "ni";
    await area.trigger("input");

    await composer.setProps({ draft: blocked.text, refusal: blocked });
    await area.trigger("input");
    expect(area.element.value).toBe("ni");
    expect(composer.emitted("draft")).toBeUndefined();
    area.element.value = "您";
    await area.trigger("compositionend");

    expect(area.element.value).toBe("你傻逼啊\n您");
    expect(composer.emitted("draft")).toEqual([["你傻逼啊\n您", ""]]);
    expect(composer.get("[role=alert]").text()).toContain("「傻逼」");
  });

  it("says that a draft is kept only once it is, and that it is not where that failed", async () => {
    const { composer } = shown({ draft: "写了一半" });
    expect(composer.get(".hint").text()).toBe("草稿已存");

    await composer.setProps({ unkept: "writing" });
    expect(composer.get(".hint").text()).not.toContain("已存");

    await composer.setProps({ unkept: "failed" });
    expect(composer.get(".hint").text()).toContain("草稿没有存下");
    expect(composer.get(".hint").attributes("role")).toBe("status");
  });

  it("says where a conversation went, and that the words are kept", () => {
    const { composer } = shown({ draft: "写了一半", maySend: false, left: "transferred" });

    expect(composer.get("[role=status]").text()).toContain("已转给同事");
    expect(composer.get("[role=status]").text()).toContain("已保留为草稿");
  });

  it("says nothing of kept words where none were written", () => {
    const { composer } = shown({ draft: "", maySend: false, left: "closed" });

    expect(composer.get("[role=status]").text()).toBe("会话已结束，不能再发送。");
  });
});
