import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Refusal } from "@/core/rest.ts";
import type { Conversation, Item, Receiver, Receivers } from "@/core/types.ts";
import Handing from "@/features/thread/Handing.vue";
import { i18n, speak } from "@/locales/i18n.ts";

enableAutoUnmount(afterEach);

const ASKED = { by: "buyer", text: "能改地址吗" } as Item;
const talk = { id: "a", items: [ASKED], waitingSince: null } as unknown as Conversation;
const OFFERED = "买家最后问：能改地址吗";

const COLLEAGUE: Receiver = { kind: "agent", id: "b", name: "小李" };

function shown(kept = "", receivers = (): Promise<Receivers> => Promise.resolve([COLLEAGUE])) {
  const props = { conversation: talk, kept, receivers, transfer: vi.fn().mockResolvedValue(undefined), end: vi.fn() };
  return mount(Handing, { props, global: { plugins: [i18n] }, attachTo: document.body });
}

async function opened(handing: ReturnType<typeof shown>): Promise<HTMLTextAreaElement> {
  await handing.get("button").trigger("click");
  await flushPromises();
  return document.querySelector<HTMLTextAreaElement>("[role=dialog] textarea") as HTMLTextAreaElement;
}

async function write(area: HTMLTextAreaElement, text: string): Promise<void> {
  area.value = text;
  area.dispatchEvent(new Event("input"));
  await flushPromises();
}

describe("handing a conversation on", () => {
  beforeEach(async () => {
    document.body.replaceChildren();
    await speak("zh-CN");
  });

  it("keeps its note at every key, and offers it again when it was closed by Escape", async () => {
    const handing = shown();
    const area = await opened(handing);
    expect(area.value).toBe(OFFERED);
    await write(area, "要改成公司地址");
    expect(handing.emitted("note")).toEqual([["要改成公司地址"]]);

    await handing.setProps({ kept: "要改成公司地址" });
    area.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    await flushPromises();
    expect(document.querySelector("[role=dialog]")).toBeNull();

    expect((await opened(handing)).value).toBe("要改成公司地址");
  });

  it("keeps nothing of what it offers by itself", async () => {
    const handing = shown();
    const area = await opened(handing);
    await write(area, `${OFFERED}，`);
    await write(area, OFFERED);

    expect(handing.emitted("note")?.at(-1)).toEqual([""]);
  });

  it("offers the note of before a reload", async () => {
    expect((await opened(shown("昨天写的"))).value).toBe("昨天写的");
  });

  it("opens where one chooses, and is done by keys from there", async () => {
    const handing = shown();
    await opened(handing);
    const choice = document.querySelector("[role=dialog] select") as HTMLSelectElement;
    await vi.waitFor(() => expect(document.activeElement).toBe(choice));
    choice.value = "agent:b";
    choice.dispatchEvent(new Event("change"));

    choice.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true }));

    await vi.waitFor(() => expect(handing.props("transfer")).toHaveBeenCalledExactlyOnceWith(COLLEAGUE, OFFERED));
  });

  it("says how full colleagues are, anew while somebody chooses, and keeps who was chosen", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const other: Receiver = { kind: "agent", id: "c", name: "小王", load: 8, capacity: 8, waiting: 2 };
    const asked = vi.fn(() => Promise.resolve<Receivers>([{ ...COLLEAGUE, load: 3, capacity: 8, waiting: 1 }, other]));
    const handing = shown("", asked);
    await opened(handing);
    const choice = document.querySelector("[role=dialog] select") as HTMLSelectElement;
    const said = () => [...choice.options].map((one) => one.textContent?.trim());
    expect(said().slice(1)).toEqual(["小李 · 接待 3/8 · 等待 1", "小王 · 已接满 8/8 · 等待 2"]);
    choice.value = "agent:b";
    choice.dispatchEvent(new Event("change"));

    asked.mockResolvedValue([{ ...other, load: 0, waiting: 0 }, { ...COLLEAGUE, load: 8, capacity: 8, waiting: 4 }]);
    vi.advanceTimersByTime(3_000);
    await flushPromises();

    expect(said().slice(1)).toEqual(["小王 · 接待 0/8 · 等待 0", "小李 · 已接满 8/8 · 等待 4"]);
    expect(choice.value).toBe("agent:b");
    const count = asked.mock.calls.length;
    handing.unmount();
    vi.advanceTimersByTime(10_000);
    expect(asked).toHaveBeenCalledTimes(count);
    vi.useRealTimers();
  });

  it("says in words why nobody can be chosen, and does not say that it failed to hand on", async () => {
    await opened(shown("", () => Promise.reject(new Refusal("unreachable", "", 0))));

    const problem = document.querySelector("[role=dialog] [role=alert]")?.textContent ?? "";
    expect(problem).toContain("连不上平台");
    expect(problem).not.toContain("unreachable");
    expect(problem).not.toContain("没有转成");
  });
});
