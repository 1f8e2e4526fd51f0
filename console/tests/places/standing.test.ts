import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";

import { EMPTY, type Me, type State } from "@/core/types.ts";
import { i18n, speak } from "@/locales/i18n.ts";
import BeginShift from "@/places/BeginShift.vue";
import TodoPlace from "@/places/TodoPlace.vue";

const live: State = shallowReactive({ ...EMPTY, session: "in" as const, me: { id: "me", role: "agent", state: "offline" } as Me });
const core = { get: vi.fn().mockResolvedValue({ items: [], next_cursor: null }), setState: vi.fn() };
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live }) }));

enableAutoUnmount(afterEach);

it("who has just signed in stands on what begins a shift, and who stands elsewhere stays there", async () => {
  await speak("zh-CN");
  const first = mount(BeginShift, { global: { plugins: [i18n] }, attachTo: document.body });
  expect(document.activeElement).toBe(first.get("button").element);
  first.unmount();

  const link = document.body.appendChild(Object.assign(document.createElement("a"), { href: "/todo" }));
  link.focus();
  mount(BeginShift, { global: { plugins: [i18n] }, attachTo: document.body });
  expect(document.activeElement).toBe(link);
  link.remove();
});

it("F6 goes through the panes of the work, both ways", async () => {
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: "/todo/:item?", name: "todo", component: TodoPlace }] });
  await router.push("/todo");
  const place = mount(TodoPlace, { global: { plugins: [i18n, router] }, attachTo: document.body });
  await flushPromises();
  const panes = place.findAll("[data-pane]").map((one) => one.element);
  for (const pane of panes) pane.checkVisibility = () => true;
  const press = (shiftKey: boolean) => {
    dispatchEvent(new KeyboardEvent("keydown", { code: "F6", shiftKey }));
    return panes.indexOf(document.activeElement as Element);
  };

  expect(panes.length).toBe(2);
  expect([press(true), press(true), press(false), press(false)]).toEqual([1, 0, 1, 0]);
});
