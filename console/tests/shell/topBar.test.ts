import { flushPromises, mount } from "@vue/test-utils";
import { expect, it, vi } from "vitest";
import { shallowReactive } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";

import { EMPTY, type Me, type State } from "@/core/types.ts";
import { i18n } from "@/locales/i18n.ts";
import SearchLink from "@/shell/SearchLink.vue";
import TopBar from "@/shell/TopBar.vue";

const live: State = shallowReactive({ ...EMPTY, session: "in" as const, me: { state: null } as Me });
vi.mock("@/live.ts", () => ({ useLive: () => ({ core: {}, live }) }));

it("the bar has a place for one's state from the start, and fills it when the platform says it", async () => {
  const bar = mount(TopBar, { global: { plugins: [i18n], stubs: { SearchLink: true, WaitingLink: true } } });
  expect(bar.get("button.state").attributes("aria-busy")).toBe("true");
  expect(bar.text()).not.toContain("离线");

  live.me = { state: "online" } as Me;
  await flushPromises();

  expect(bar.get("button.state").text()).toBe("在线·接新客");
  expect(bar.get("button.state").attributes("aria-busy")).toBeUndefined();
});

it.each([
  ["agent", "search"],
  ["clerk", "todo"],
])("%s is led to the search only where it is open to him", async (role, stays) => {
  live.me = { role } as Me;
  const nothing = { template: "<p />" };
  const routes = ["search", "todo"].map((name) => ({ path: `/${name}`, name, component: nothing }));
  const router = createRouter({ history: createMemoryHistory(), routes });
  await router.push("/todo");
  const link = mount(SearchLink, { global: { plugins: [i18n, router] }, attachTo: document.body });

  dispatchEvent(new KeyboardEvent("keydown", { code: "KeyK", ctrlKey: true }));
  await flushPromises();

  expect(link.find("a").exists()).toBe(stays === "search");
  expect(router.currentRoute.value.name).toBe(stays);
  link.unmount();
});
