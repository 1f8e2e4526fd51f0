import { enableAutoUnmount, flushPromises, mount, type DOMWrapper } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";

import { EMPTY, type Me, type State } from "@/core/types.ts";
import OthersList from "@/features/desk/OthersList.vue";
import type { View } from "@/features/desk/others.ts";
import { i18n, speak } from "@/locales/i18n.ts";
import { zone } from "@/zone.ts";

const NOW = Date.parse("2026-11-11T00:10:00Z");
const LEVELS = { first: [10, 20, 30], later: [20, 100, 180] } as const;
const AWAY = Object.assign(new Error("away"), { code: "unreachable" });

const asked: string[] = [];
let answers: Record<string, unknown>;
let live: State;
const core = {
  get: vi.fn(async (path: string): Promise<unknown> => {
    asked.push(path);
    const found = Object.entries(answers).find(([start]) => path.startsWith(start))?.[1];
    if (found === undefined || found instanceof Error) throw found ?? AWAY;
    return found;
  }),
};
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live }) }));
enableAutoUnmount(afterEach);
afterEach(() => vi.useRealTimers());

beforeEach(async () => {
  vi.useFakeTimers();
  asked.length = 0;
  answers = { "/v1/agents": { items: [{ id: "a7", name: "客服7号" }] } };
  live = shallowReactive({ ...EMPTY, me: { id: "me" } as Me });
  await speak("zh-CN");
});

function row(id: string, changed: Record<string, unknown> = {}) {
  const head = { by: "buyer", preview: `${id} 在吗` };
  return { id, buyer: { id: `buyer-${id}`, name: `买家${id}` }, agent_id: null, opened_at: "2026-11-11T00:00:00Z", closed_at: null, waiting_since: "2026-11-11T00:06:48Z", head, ...changed };
}

async function list(view: View) {
  const page = mount(OthersList, { props: { view, levels: LEVELS, now: NOW, open: "c2" }, global: { plugins: [i18n] }, attachTo: document.body });
  await flushPromises();
  const parts = [".buyer", ".agent", ".timer", ".words"];
  const words = (one: DOMWrapper<Element>) => parts.flatMap((part) => one.findAll(part).map((found) => found.text())).filter((text) => text !== "");
  return { page, rows: () => page.findAll("li button:not(.take)").map(words) };
}

const turn = async (ms: number) => {
  await vi.advanceTimersByTimeAsync(ms);
  await flushPromises();
};

describe("a list of others' conversations", () => {
  it("says who waits in the queue and since when, who was there first on top", async () => {
    answers["/v1/conversations?view=queue&limit=50"] = { items: [row("c1"), row("c2", { head: null }), row("c3", { head: { by: "buyer", preview: "" } })], next_cursor: null };

    const { page, rows } = await list("queue");

    expect(rows()).toEqual([
      ["买家c1", "3:12", "c1 在吗"],
      ["买家c2", "3:12", "还没有说话"],
      ["买家c3", "3:12", "[图片或卡片]"],
    ]);
    expect(page.get("li button").classes()).toContain("level-3");
    expect(page.get("[aria-current]").text()).toContain("买家c2");
    expect(asked).toHaveLength(1);
    await page.get("li button").trigger("click");
    expect(page.emitted("open")).toEqual([["c1"]]);
  });

  it("names colleagues and leaves out what is one's own", async () => {
    const items = [row("c1", { agent_id: "a7", waiting_since: null, head: { by: "agent", preview: "在的" } }), row("c2", { agent_id: "me" }), row("c3", { agent_id: "a8" })];
    answers["/v1/conversations?view=team"] = { items, next_cursor: null };

    const { rows } = await list("team");

    expect(rows()).toEqual([
      ["买家c1", "客服7号", "客服：在的"],
      ["买家c3", "同事", "3:12", "c3 在吗"],
    ]);
  });

  it("says when it ended, and that nobody waits any more", async () => {
    answers["/v1/conversations?view=closed"] = { items: [row("c1", { closed_at: "2026-11-11T00:09:00Z" })], next_cursor: null };

    const { page } = await list("closed");

    expect(page.find(".timer").exists()).toBe(false);
    expect(page.get("time").text()).not.toBe("");
  });

  it("is in the shop's time, and tells nameless buyers apart", async () => {
    zone.value = "Asia/Tokyo";
    const nameless = { id: "01920000-0000-7000-8000-00000000c0de", name: "" };
    answers["/v1/conversations?view=closed"] = { items: [row("c1", { buyer: nameless, closed_at: "2026-11-11T15:09:00Z" })], next_cursor: null };

    const { page, rows } = await list("closed");

    expect(page.get("time").text()).toBe("11/12 00:09 结束");
    expect(rows()[0]?.[0]).toBe("买家 C0DE");
    zone.value = undefined;
  });

  it.each([
    ["queue", "现在没有买家在排队"],
    ["team", "同事们现在没有会话"],
    ["closed", "还没有结束的会话"],
  ] as const)("says so where %s is empty", async (view, words) => {
    answers["/v1/conversations"] = { items: [], next_cursor: null };

    expect((await list(view)).page.get(".empty").text()).toBe(words);
  });

  it("says that it is fetched, and that it cannot be, and is asked for again", async () => {
    const { page, rows } = await list("queue");
    expect(page.find(".empty").exists()).toBe(false);
    expect(page.get(".strip").text()).toContain("会话列表暂时取不到");

    answers["/v1/conversations"] = { items: [row("c1")], next_cursor: null };
    await page.get(".strip button").trigger("click");
    await flushPromises();

    expect(page.find(".strip").exists()).toBe(false);
    expect(rows()).toHaveLength(1);
  });

  it("shows what it knew while it cannot be asked, and says so", async () => {
    answers["/v1/conversations"] = { items: [row("c1")], next_cursor: null };
    const { page, rows } = await list("queue");
    answers["/v1/conversations"] = AWAY;

    await turn(5_000);

    expect(rows()).toHaveLength(1);
    expect(page.get(".strip").text()).toContain("下面是之前的");
  });

  it("follows what changes, and rests while nobody sees it", async () => {
    answers["/v1/conversations"] = { items: [row("c1")], next_cursor: null };
    const { page, rows } = await list("queue");
    answers["/v1/conversations"] = { items: [], next_cursor: null };
    await turn(5_000);
    expect(rows()).toEqual([]);

    const visibility = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    const before = asked.length;
    await turn(60_000);
    expect(asked).toHaveLength(before);

    visibility.mockReturnValue("visible");
    answers["/v1/conversations"] = { items: [row("c9")], next_cursor: null };
    document.dispatchEvent(new Event("visibilitychange"));
    await flushPromises();
    expect(rows()).toHaveLength(1);
    visibility.mockRestore();

    page.unmount();
    await turn(60_000);
    expect(asked).toHaveLength(before + 1);
  });

  it("goes on page by page, and is asked for as much more seldom", async () => {
    answers["/v1/conversations?view=queue&limit=50&cursor=two"] = { items: [row("c2"), row("c1")], next_cursor: null };
    answers["/v1/conversations?view=queue&limit=50"] = { items: [row("c1")], next_cursor: "two" };
    const { page, rows } = await list("queue");
    expect(rows()).toHaveLength(1);

    await page.get(".more").trigger("click");
    await flushPromises();

    expect(rows().map(([buyer]) => buyer)).toEqual(["买家c1", "买家c2"]);
    expect(page.find(".more").exists()).toBe(false);
    const before = asked.length;
    await turn(5_000);
    expect(asked).toHaveLength(before);
    await turn(5_000);
    expect(asked).toHaveLength(before + 2);
  });
});
