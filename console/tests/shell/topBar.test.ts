import { flushPromises, mount } from "@vue/test-utils";
import { expect, it, vi } from "vitest";
import { shallowReactive } from "vue";

import { EMPTY, type Me, type State } from "@/core/types.ts";
import { i18n } from "@/locales/i18n.ts";
import TopBar from "@/shell/TopBar.vue";

const live: State = shallowReactive({ ...EMPTY, session: "in" as const, me: { state: null } as Me });
vi.mock("@/live.ts", () => ({ useLive: () => ({ core: {}, live }) }));

it("the bar has a place for one's state from the start, and fills it when the platform says it", async () => {
  const bar = mount(TopBar, { global: { plugins: [i18n], stubs: { SearchLink: true } } });
  expect(bar.get("button.state").attributes("aria-busy")).toBe("true");
  expect(bar.text()).not.toContain("离线");

  live.me = { state: "online" } as Me;
  await flushPromises();

  expect(bar.get("button.state").text()).toBe("在线·接新客");
  expect(bar.get("button.state").attributes("aria-busy")).toBeUndefined();
});
