import { flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { computed, nextTick, shallowReactive } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";

import { EMPTY, type Conversation, type State } from "@/core/types.ts";
import { i18n, speak } from "@/locales/i18n.ts";
import WaitingLink from "@/shell/WaitingLink.vue";
import { useTitle } from "@/title.ts";

const NOW = Date.parse("2026-11-11T12:00:00Z");
let live: State;
vi.mock("@/live.ts", () => ({ useLive: () => ({ core: {}, live }) }));
vi.mock(import("@/now.ts"), async (original) => ({ ...(await original()), useNow: () => computed(() => NOW) }));

const nothing = { template: "<p />" };
const routes = [
  { path: "/todo", name: "todo", component: nothing },
  { path: "/board", name: "board", component: nothing },
  { path: "/desk/:conversation?", name: "desk", component: nothing },
];
const talk = (id: string, seconds: number | null) => ({ id, waitingSince: seconds === null ? null : NOW - seconds * 1_000, isFirst: true }) as Conversation;
let mounted: ReturnType<typeof mount> | undefined;

async function shown(at: string) {
  const router = createRouter({ history: createMemoryHistory(), routes });
  await router.push(at);
  mounted = mount(WaitingLink, { global: { plugins: [i18n, router] }, attachTo: document.body });
  await flushPromises();
  return { link: mounted, router };
}

const press = () => dispatchEvent(new KeyboardEvent("keydown", { code: "KeyW", altKey: true }));

describe("who is away from his desk", () => {
  beforeEach(async () => {
    await speak("zh-CN");
    live = shallowReactive({ ...EMPTY, session: "in" as const, conversations: { a: talk("a", 20), b: talk("b", 65), c: talk("c", null) } });
  });
  afterEach(() => mounted?.unmount());

  it("sees how many of his buyers wait and how long the first of them has, in the bar and in the title", async () => {
    const { link } = await shown("/todo");
    expect(link.get("a").text()).toMatch(/^等待\s*2\s*1:05/);
    expect(link.get("a").attributes("href")).toBe("/desk/b");
    expect(useTitle().value).toBe("(2) 1:05");

    live.conversations = { c: talk("c", null) };
    await nextTick();
    expect(link.find("a").exists()).toBe(false);
    expect(useTitle().value).toBe("");
  });

  it("is led to the one who waits longest by the key of the desk", async () => {
    const { router } = await shown("/todo");
    press();
    await flushPromises();
    expect(router.currentRoute.value.fullPath).toBe("/desk/b");
  });

  it("is told by the desk alone once he is there, and by the board what stands in its title", async () => {
    const { link, router } = await shown("/board");
    expect(useTitle().value).toBe("");
    expect(link.find("a").exists()).toBe(true);

    await router.push("/desk/a");
    press();
    await flushPromises();
    expect(link.find("a").exists()).toBe(false);
    expect(router.currentRoute.value.fullPath).toBe("/desk/a");
  });
});
