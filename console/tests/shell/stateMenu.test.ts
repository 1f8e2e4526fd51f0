import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";

import { EMPTY, type AgentState, type Conversation, type Me, type State } from "@/core/types.ts";
import { i18n } from "@/locales/i18n.ts";
import StateMenu from "@/shell/StateMenu.vue";

const core = { setState: vi.fn<(state: AgentState) => Promise<void>>() };
let live: State;
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live }) }));

const waiting = (id: string, waitingSince: number | null) => ({ id, waitingSince }) as Conversation;

async function opened() {
  const menu = mount(StateMenu, { global: { plugins: [i18n] }, attachTo: document.body, props: { open: true } });
  await flushPromises();
  return menu;
}

function item(word: string): HTMLElement {
  const items = [...document.querySelectorAll<HTMLElement>("[role=menuitemradio]")];
  const found = items.find((one) => one.textContent?.includes(word));
  if (found === undefined) throw new Error(`No state says ${word}.`);
  return found;
}

function press(name: string): void {
  const buttons = [...document.querySelectorAll<HTMLElement>("[role=dialog] footer button")];
  buttons.find((one) => one.textContent?.includes(name))?.click();
}

enableAutoUnmount(afterEach);

describe("the menu of states", () => {
  beforeEach(() => {
    core.setState.mockReset().mockResolvedValue();
    live = shallowReactive({
      ...EMPTY,
      session: "in" as const,
      me: { state: "online" } as Me,
      conversations: { a: waiting("a", 1), b: waiting("b", 2), c: waiting("c", null) },
    });
  });

  it("shows no state before the platform said one, and lets one be chosen all the same", async () => {
    live.me = { state: null } as Me;
    const menu = await opened();
    const button = menu.get("button.state");
    expect(button.text()).toBe("");
    expect(button.get("[role=img]").attributes("aria-label")).toBe("正在取您的状态");
    expect(document.querySelectorAll("[role=menu] [aria-checked=true]")).toHaveLength(0);

    const [, suspended] = document.querySelectorAll<HTMLElement>("[role=menu] [role^=menuitem]");
    suspended?.click();
    await flushPromises();
    expect(core.setState).toHaveBeenCalledExactlyOnceWith("suspended");

    live.me = { state: "suspended" } as Me;
    await flushPromises();
    expect(button.text()).toBe("挂起");
  });

  it("marks the present state and says what each does to how many", async () => {
    await opened();
    expect(item("在线").getAttribute("aria-checked")).toBe("true");
    expect(item("挂起").textContent).toContain("继续服务现在的 3 位");
    expect(item("小休").textContent).toContain("2 位未回复会转给同事");
  });

  it("changes to suspended at once", async () => {
    await opened();
    item("挂起").click();
    await flushPromises();
    expect(core.setState).toHaveBeenCalledExactlyOnceWith("suspended");
  });

  it("asks once before unanswered buyers are handed on", async () => {
    await opened();
    item("小休").click();
    await flushPromises();
    expect(core.setState).not.toHaveBeenCalled();
    expect(document.querySelector("[role=dialog]")?.textContent).toContain("2 位买家还没有回复");
    press("小休");
    expect(core.setState).toHaveBeenCalledExactlyOnceWith("break");
  });

  it("opens by Alt S, but not while an input method has the keys", async () => {
    mount(StateMenu, { global: { plugins: [i18n] }, attachTo: document.body });
    const press = (isComposing: boolean) =>
      dispatchEvent(new KeyboardEvent("keydown", { code: "KeyS", altKey: true, isComposing }));
    press(true);
    await flushPromises();
    expect(document.querySelector("[role=menu]")).toBeNull();
    press(false);
    await flushPromises();
    expect(document.querySelector("[role=menu]")).not.toBeNull();
  });

  it("changes nothing when that is declined", async () => {
    await opened();
    item("离线").click();
    await flushPromises();
    press("取消");
    expect(core.setState).not.toHaveBeenCalled();
  });
});
