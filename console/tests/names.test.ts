import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, expect, it, vi } from "vitest";
import { defineComponent, h } from "vue";

import { useNames } from "@/names.ts";

const core = { get: vi.fn<(path: string) => Promise<unknown>>() };
vi.mock("@/live.ts", () => ({ useLive: () => ({ core }) }));

enableAutoUnmount(afterEach);

const shown = async () => {
  const page = mount(defineComponent({ setup: () => ({ names: useNames(true) }), render() { return h("p", [...this.names.values()].join(" ")); } }));
  await flushPromises();
  return page.text();
};

const pages: Record<string, unknown> = {
  "/v1/agents?limit=200": { items: [{ id: "a1", name: "小陈" }], next_cursor: "a/2" },
  "/v1/agents?limit=200&cursor=a%2F2": { items: [{ id: "a2", name: "小王" }], next_cursor: null },
};

it("knows everybody of a shop that has more people than one page", async () => {
  core.get.mockImplementation((path) => Promise.resolve(pages[path]));

  expect(await shown()).toBe("小陈 小王");
});

it("knows those it was told of, where the rest cannot be asked for", async () => {
  core.get.mockImplementation((path) => (path.includes("cursor") ? Promise.reject(new Error("away")) : Promise.resolve(pages[path])));

  expect(await shown()).toBe("小陈");
});
