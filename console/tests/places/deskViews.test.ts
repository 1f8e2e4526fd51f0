import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";

import { EMPTY, type Conversation, type Me, type State } from "@/core/types.ts";
import { i18n, speak } from "@/locales/i18n.ts";
import DeskPlace from "@/places/DeskPlace.vue";

const LISTED = { id: "c1", buyer: { name: "陈*平" }, agent_id: null, opened_at: "2026-11-11T00:00:00Z", closed_at: null, waiting_since: "2026-11-11T00:00:00Z", head: null };
const core = { read: vi.fn(), older: vi.fn(), draft: vi.fn(), send: vi.fn(), receivers: vi.fn(), watch: vi.fn(async () => undefined), unwatch: vi.fn(async () => undefined), get: vi.fn(async () => ({ items: [LISTED], next_cursor: null })) };
const TALK = { buyerId: "b", items: [], last: null, waitingSince: null, isFirst: true, readUpTo: null, unread: 0, firstUnread: null, older: "none" } as const;
const OWN: Conversation = { ...TALK, id: "a", buyer: "王小明", maySend: true };
let live: State;
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live }) }));
enableAutoUnmount(afterEach);

beforeEach(async () => {
  vi.clearAllMocks();
  document.body.replaceChildren(Object.assign(document.createElement("div"), { id: "bar-figures" }));
  await speak("zh-CN");
  live = shallowReactive({ ...EMPTY, session: "in" as const, listed: true, me: { id: "me", role: "agent", state: "online" } as Me, conversations: { a: OWN } });
});

async function shown(path: string) {
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: "/desk/:conversation?", name: "desk", component: DeskPlace }] });
  await router.push(path);
  const place = mount(DeskPlace, { global: { plugins: [i18n, router] }, attachTo: document.body });
  await flushPromises();
  return { place, router };
}

it("lists others beside what is open, and keeps both in the address", async () => {
  const { place, router } = await shown("/desk/a");
  await place.findAll(".views a").find((one) => one.text() === "排队")?.trigger("click");
  await flushPromises();

  expect(router.currentRoute.value.fullPath).toBe("/desk/a?view=queue");
  expect(place.get(".views [aria-current=page]").text()).toBe("排队");
  expect(place.get(".others").text()).toContain("陈*平");
  expect(place.find("textarea").exists()).toBe(true);
  expect(core.watch.mock.calls).toEqual([["a"]]);
});

it("shows one of them to read, and nothing to write in but a whisper to who serves", async () => {
  const { place, router } = await shown("/desk?view=queue");
  await place.get(".others li button").trigger("click");
  await flushPromises();
  expect(router.currentRoute.value.fullPath).toBe("/desk/c1?view=queue");
  expect(core.watch).toHaveBeenCalledWith("c1");

  live.watched = { c1: { ...TALK, id: "c1", buyer: "陈*平", maySend: false } };
  await flushPromises();

  expect(place.get(".talk").text()).toContain("陈*平");
  expect(place.get(".talk").text()).toContain("旁观中");
  expect(place.findAll("textarea").map((one) => one.attributes("aria-label"))).toEqual(["便签"]);
  live.watched = { c1: { ...TALK, id: "c1", buyer: "陈*平", maySend: false, standing: { version: 3, owner: "a7", isClosed: false, isTaken: false } } };
  await flushPromises();
  await place.get("textarea").setValue("先安抚");
  await place.get("textarea").trigger("keydown", { key: "Enter" });
  expect(core.draft).toHaveBeenCalledWith("c1~note", "先安抚", "");
  expect(core.send.mock.calls).toEqual([["c1~note", "先安抚", "a7"]]);
});

it("is one's own again, to write in, once it was given to one", async () => {
  const { place } = await shown("/desk/c1?view=queue");
  live.conversations = { ...live.conversations, c1: { ...OWN, id: "c1", buyer: "陈*平" } };
  await flushPromises();

  expect(place.find("textarea").exists()).toBe(true);
  expect(place.find(".strip").exists()).toBe(false);
});

it("knows no list of that name and shows one's own", async () => {
  const { place } = await shown("/desk?view=everything");

  expect(place.find("[role=listbox]").exists()).toBe(true);
  expect(core.get.mock.calls.flat()).toEqual(["/v1/monitor/me"]);
});
