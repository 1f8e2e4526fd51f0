import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";

import { EMPTY, type Conversation, type Left, type State } from "@/core/types.ts";
import { i18n, speak } from "@/locales/i18n.ts";
import Writing from "@/places/Writing.vue";

const core = { draft: vi.fn(), send: vi.fn(), confirm: vi.fn(), dismiss: vi.fn(), get: vi.fn(async () => ({})) };
let live: State;
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live }) }));
enableAutoUnmount(afterEach);

const TALK: Conversation = { id: "a", buyer: "王小明", buyerId: "b", items: [], last: null, waitingSince: null, isFirst: true, readUpTo: null, maySend: true, unread: 0, firstUnread: null, older: "none" };
const GONE: Left = { conversation: { ...TALK, maySend: false }, reason: "taken", toAgent: "boss", toGroup: null, by: "boss", at: 0 };

beforeEach(async () => {
  vi.clearAllMocks();
  document.body.replaceChildren();
  await speak("zh-CN");
  live = shallowReactive({ ...EMPTY, session: "in" as const, listed: true });
});

const shown = () => mount(Writing, { props: { conversation: TALK, left: undefined as Left | undefined }, global: { plugins: [i18n] }, attachTo: document.body });

async function press(): Promise<void> {
  dispatchEvent(new KeyboardEvent("keydown", { code: "KeyN", altKey: true }));
  await flushPromises();
}

it("turns into a note and back by a key, each with words of its own", async () => {
  live.drafts = { a: "给买家的", "a~note": "给同事的" };
  const writing = shown();
  const area = () => writing.get<HTMLTextAreaElement>("textarea").element;
  expect([area().value, area().getAttribute("aria-label")]).toEqual(["给买家的", "回复"]);

  await press();
  expect([area().value, area().getAttribute("aria-label")]).toEqual(["给同事的", "便签"]);
  expect(document.activeElement).toBe(area());
  expect(writing.text()).toContain("记便签");
  expect(writing.get(".composer").classes()).toContain("noting");
  await writing.get("textarea").trigger("keydown", { key: "Enter" });
  expect(core.send.mock.calls).toEqual([["a~note", "给同事的", undefined]]);

  await press();
  expect(area().value).toBe("给买家的");
});

it("stays what it is when the seat is lost, so that no note is ever a message, nor the other way", async () => {
  const writing = shown();
  await press();
  await writing.get("textarea").setValue("给同事的");

  await writing.setProps({ left: GONE });
  await writing.get("textarea").trigger("keydown", { key: "Enter" });
  expect(core.send.mock.calls).toEqual([["a~note", "给同事的", undefined]]);

  await press();
  await writing.get("textarea").setValue("给买家的");
  await writing.get("textarea").trigger("keydown", { key: "Enter" });
  expect(core.send).toHaveBeenCalledTimes(1);
  expect(writing.text()).toContain("接管了会话");
});

it("offers no quick replies in a note, whose words may hold anything", async () => {
  const writing = shown();
  await press();

  await writing.get("textarea").setValue("/{买家}");
  await writing.get("textarea").trigger("keydown", { key: "Enter" });

  expect(core.send.mock.calls).toEqual([["a~note", "/{买家}", undefined]]);
});
