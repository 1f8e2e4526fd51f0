import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";

import { EMPTY, type Conversation, type Left, type Me, type Refusal, type State } from "@/core/types.ts";
import { i18n, speak } from "@/locales/i18n.ts";
import DeskPlace from "@/places/DeskPlace.vue";

const core = { watch: vi.fn(async () => undefined), unwatch: vi.fn(async () => undefined), draft: vi.fn(), send: vi.fn(), confirm: vi.fn(), note: vi.fn(), dismiss: vi.fn(), read: vi.fn(), older: vi.fn(), receivers: vi.fn(), get: vi.fn().mockResolvedValue({ items: [{ id: "boss", name: "主管" }] }) };
let live: State;
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live }) }));

enableAutoUnmount(afterEach);

const TALK: Conversation = {
  id: "a",
  buyer: "王小明",
  buyerId: "b",
  items: [],
  last: null,
  waitingSince: null,
  isFirst: true,
  readUpTo: null,
  maySend: true,
  unread: 0,
  firstUnread: null,
  older: "none",
};
const ASKED: Refusal = { code: "confirm", text: "爱买不买", hits: [{ category: "attitude", start: 0, end: 4, surface: "爱买不买" }], id: "c1", confirm: "signed" };
const GONE: Left = { conversation: { ...TALK, maySend: false }, reason: "taken", toAgent: "boss", toGroup: null, by: "boss", at: 0 };

async function shown() {
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: "/desk/:conversation?", name: "desk", component: DeskPlace }] });
  await router.push("/desk/a");
  const figures = Object.assign(document.createElement("div"), { id: "bar-figures" });
  document.body.append(figures);
  const place = mount(DeskPlace, { global: { plugins: [i18n, router] }, attachTo: document.body });
  await flushPromises();
  return { place, area: place.get<HTMLTextAreaElement>("textarea").element };
}

async function taken(): Promise<void> {
  live.conversations = {};
  live.left = { a: GONE };
  await flushPromises();
}

async function returned(): Promise<void> {
  live.left = {};
  live.conversations = { a: TALK };
  await flushPromises();
}

describe("the workbench, when somebody takes a conversation over and gives it back", () => {
  beforeEach(async () => {
    document.body.replaceChildren();
    core.unwatch.mockClear();
    await speak("zh-CN");
    live = shallowReactive({ ...EMPTY, session: "in" as const, listed: true, me: { id: "me", role: "agent", state: "online" } as Me, conversations: { a: TALK } });
  });

  it("leaves what is being typed where it is, an input method's letters and the caret too", async () => {
    const { place, area } = await shown();
    area.focus();
    await place.get("textarea").setValue("写了一半");
    live.drafts = { a: "写了一半" };
    await place.get("textarea").trigger("compositionstart");
    area.value = "写了一半de";
    area.setSelectionRange(2, 2);

    await taken();
    expect(place.get("textarea").element).toBe(area);
    await returned();

    expect(place.get("textarea").element).toBe(area);
    expect([area.value, area.selectionStart, document.activeElement]).toEqual(["写了一半de", 2, area]);
  });

  it("says that it is looked at, and no more once another one is open", async () => {
    const { place } = await shown();
    core.watch.mockClear();
    expect(core.unwatch).not.toHaveBeenCalled();

    await taken();
    live.left = {};
    await flushPromises();

    expect(core.unwatch).toHaveBeenCalledExactlyOnceWith("a");
    expect(place.find("textarea").exists()).toBe(false);
  });

  it.each([
    ["queued", "b"],
    ["failed", "a"],
  ] as const)("goes past a buyer whose answer is on its way: one that is %s", async (state, to) => {
    live.conversations = { a: { ...TALK, waitingSince: 1 }, b: { ...TALK, id: "b", waitingSince: 2 } };
    live.outbox = [{ id: "s", conversation: "a", text: "在的", firstTriedAt: 0, written: true, state }];
    const { place } = await shown();

    document.body.dispatchEvent(new KeyboardEvent("keydown", { code: "KeyW", altKey: true, bubbles: true }));
    await flushPromises();

    expect(place.vm.$route.params.conversation).toBe(to);
  });

  it("keeps the question of the gate with its words, and asks it again when the conversation is back", async () => {
    live.drafts = { a: ASKED.text };
    live.refusals = { a: ASKED };
    const { place, area } = await shown();
    expect(place.get(".composer [role=alert]").text()).toContain("确定要这样发吗");

    await taken();
    expect(area.value).toBe(ASKED.text);
    expect(place.get(".composer").text()).toContain("主管接管了会话");
    expect(place.findAll(".composer button").filter((one) => one.attributes("disabled") === undefined && one.text() === "仍然发送")).toEqual([]);

    await returned();
    await place.get(".composer input").setValue("买家问的");
    await place.findAll(".composer button").find((one) => one.text() === "仍然发送")?.trigger("click");
    expect(core.confirm).toHaveBeenCalledExactlyOnceWith("a", "买家问的");
  });
});
