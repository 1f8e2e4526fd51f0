import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";

import { EMPTY, type Conversation, type Me, type State } from "@/core/types.ts";
import { pieces, placeOf, type FoundConversation, type Hit } from "@/features/search/found.ts";
import SearchPage from "@/features/search/SearchPage.vue";
import { useAround } from "@/features/search/useAround.ts";
import { i18n, speak } from "@/locales/i18n.ts";

const TALK: FoundConversation = { id: "c1", state: "closed", agent_id: null, buyer: { id: "b", name: "王*明" } };
const hit = (id: string, excerpt: string): Hit => ({ message_id: id, conversation_id: "c1", at: "2026-11-11T02:00:00Z", by: "buyer", sender_id: "b", excerpt });
const answer = (items: Hit[], more: object = {}) => ({ items, conversations: [TALK], next_cursor: null, partial: false, indexed_through: "2026-11-11T03:04:05Z", ...more });

let live: State;
const core = { get: vi.fn() };
/** Buyers and orders, who are looked for beside the words. */
const looked = vi.fn();
const asked = (path: string) => (/^\/v1\/(buyers|orders)\?|buyer_id=/.test(path) ? looked(path) : core.get(path)) as Promise<unknown>;
vi.mock("@/live.ts", () => ({ useLive: () => ({ core: { get: asked }, live }) }));
enableAutoUnmount(afterEach);

beforeEach(async () => {
  live = shallowReactive({ ...EMPTY, me: { id: "me", role: "agent" } as Me });
  core.get.mockReset();
  looked.mockReset().mockResolvedValue({ items: [], more: false });
  await speak("zh-CN");
});

async function page(path: string) {
  const nothing = { template: "<p />" };
  const routes = [{ path: "/search", name: "search", component: nothing }, { path: "/desk/:conversation?", name: "desk", component: nothing }];
  const router = createRouter({ history: createMemoryHistory(), routes });
  await router.push(path);
  const shown = mount(SearchPage, { global: { plugins: [i18n, router] }, attachTo: document.body, slots: { talk: "<article />" } });
  await flushPromises();
  return { shown, router, words: () => shown.findAll("li .words").map((one) => one.text()) };
}

describe("the search", () => {
  it("asks for what was typed, marks it in what was said, and keeps what is open in the address", async () => {
    core.get.mockResolvedValue(answer([hit("m2", "能退差价吗"), hit("m1", "差价在哪看")]));
    const { shown, router, words } = await page("/search");
    expect(core.get).not.toHaveBeenCalled();

    await shown.get("input").setValue(" 差价 ");
    await shown.get("form").trigger("submit");
    await flushPromises();

    expect(core.get.mock.calls).toEqual([[`/v1/search/messages?q=${encodeURIComponent("差价")}`]]);
    expect(words()).toEqual(["能退差价吗", "差价在哪看"]);
    expect(shown.findAll("mark").map((one) => one.text())).toEqual(["差价", "差价"]);
    expect(shown.get("li").text()).toContain("王*明");
    await shown.get("li button").trigger("click");
    await flushPromises();
    expect(router.currentRoute.value.query).toEqual({ q: "差价", in: "c1", at: "m2" });
    expect(shown.find("article").exists()).toBe(true);
    expect(shown.get("[aria-current]").text()).toContain("能退差价吗");
  });

  it("goes on behind what was found, and says that it is a part", async () => {
    core.get.mockResolvedValueOnce(answer([hit("m2", "差价二")], { next_cursor: "x", partial: true })).mockResolvedValueOnce(answer([hit("m1", "差价一")]));
    const { shown, words } = await page("/search?q=差价");
    expect(shown.text()).toContain("只找了一部分");

    await shown.findAll("button").find((one) => one.text() === "继续往前找")?.trigger("click");
    await flushPromises();

    expect(core.get.mock.calls[1]?.[0]).toContain("&cursor=x");
    expect(words()).toEqual(["差价二", "差价一"]);
    expect(shown.text()).not.toContain("只找了一部分");
  });

  it.each([
    ["/search?q=差", "请输入两个字以上"],
    ["/search", "完整手机号"],
  ])("asks nothing for %s", async (path, words) => {
    const { shown } = await page(path);
    expect(shown.get(".hint").text()).toContain(words);
    expect(core.get).not.toHaveBeenCalled();
  });

  it("says when nobody said it, and why it cannot look", async () => {
    core.get.mockResolvedValueOnce(answer([])).mockRejectedValueOnce(Object.assign(new Error(), { code: "too_many" }));
    const { shown } = await page("/search?q=没有");
    expect(shown.get("[role=status]").text()).toBe("没有人说过这些字");

    await shown.get("form").trigger("submit");
    await flushPromises();

    expect(shown.get("[role=status]").text()).toContain("搜得太快了");
  });

  it("shows the answer to what was asked last, whichever comes first", async () => {
    let late: (found: unknown) => void = () => undefined;
    core.get.mockReturnValueOnce(new Promise((resolve) => (late = resolve))).mockResolvedValueOnce(answer([hit("m2", "退款呢")]));
    const { router, words } = await page("/search?q=差价");
    await router.push("/search?q=退款");
    await flushPromises();

    late(answer([hit("m1", "差价呢")]));
    await flushPromises();

    expect(words()).toEqual(["退款呢"]);
  });
});

describe("buyers and orders", () => {
  const BUYER = { buyer: { id: "b", name: "王*明", phone: "138****8000" }, conversation: TALK };
  const ORDER = { id: "o1", external_id: "T0042", state: "paid", buyer: { id: "b", name: "王*明" }, total_fen: 19_900, placed_at: "2026-11-11T02:00:00Z" };
  const answers = (found: Record<string, unknown>) => looked.mockImplementation(async (path: string) => found[path.split("?")[0] ?? ""]);

  it("are asked for at once with the words, and again when asked", async () => {
    core.get.mockResolvedValue(answer([]));
    const { shown } = await page("/search?q=王");
    const paths = [`/v1/buyers?q=${encodeURIComponent("王")}`, `/v1/orders?q=${encodeURIComponent("王")}`];
    expect(looked.mock.calls.flat()).toEqual(paths);
    expect(core.get).not.toHaveBeenCalled();

    await shown.get("form").trigger("submit");
    await flushPromises();

    expect(looked.mock.calls.flat()).toEqual([...paths, ...paths]);
  });

  it("are shown masked, and lead to their conversations", async () => {
    answers({ "/v1/buyers": { items: [BUYER, { ...BUYER, buyer: { ...BUYER.buyer, id: "c" }, conversation: null }], more: true }, "/v1/orders": { items: [ORDER] }, "/v1/conversations": { items: [TALK] } });
    const { shown, router } = await page("/search?q=王");

    const rows = shown.findAll(".one").map((one) => one.text());
    expect(rows[0]).toContain("王*明");
    expect(rows[0]).toContain("138****8000");
    expect(rows[1]).toContain("没有会话");
    expect(rows[2]).toContain("T0042");
    expect(rows[2]).toContain("已付款");
    expect(shown.findAll("a.one")).toHaveLength(1);
    expect(shown.get("a.one").attributes("href")).toBe("/desk/c1?view=closed");
    await shown.get("button.one").trigger("click");
    await flushPromises();
    expect(router.currentRoute.value.fullPath).toBe("/desk/c1?view=closed");
  });

  it("say so where a buyer of an order never spoke", async () => {
    answers({ "/v1/buyers": { items: [], more: false }, "/v1/orders": { items: [ORDER] }, "/v1/conversations": { items: [] } });
    const { shown, router } = await page("/search?q=T0042");

    await shown.get("button.one").trigger("click");
    await flushPromises();

    expect(shown.get(".one").text()).toContain("没有会话");
    expect(router.currentRoute.value.name).toBe("search");
  });

  it("say each why they cannot be looked for, beside what was found", async () => {
    core.get.mockResolvedValue(answer([hit("m1", "王小姐您好")]));
    looked.mockImplementation(async (path: string) => {
      if (path.startsWith("/v1/buyers")) throw { code: "too_many" };
      return { items: [] };
    });
    const { shown, words } = await page("/search?q=王小");

    expect(shown.findAll(".wrong").map((one) => one.text())).toEqual(["搜得太快了，请过几秒再试"]);
    expect(words()).toEqual(["王小姐您好"]);
  });

  it("lead an administrator nowhere, who has no workbench", async () => {
    answers({ "/v1/buyers": { items: [BUYER], more: false }, "/v1/orders": { items: [ORDER] } });
    live = shallowReactive({ ...EMPTY, me: { id: "me", role: "admin" } as Me });
    const { shown } = await page("/search?q=王");

    expect([shown.findAll(".one").length, shown.findAll("a.one").length, shown.findAll("button.one").length]).toEqual([2, 0, 0]);
  });
});

describe("what was found", () => {
  it.each([
    ["iPhone 和 IPHONE", "iphone", ["iPhone", "IPHONE"]],
    ["退款与物流", "物流 退款", ["退款", "物流"]],
    ["1+1", "1+1", ["1+1"]],
    ["没有", "", []],
  ])("of %s for %s is marked", (excerpt, query, found) => {
    const cut = pieces(excerpt, query);
    expect(cut.map(({ text }) => text).join("")).toBe(excerpt);
    expect(cut.filter(({ isFound }) => isFound).map(({ text }) => text)).toEqual(found);
  });

  it.each([
    [{ state: "closed" }, { view: "closed" }],
    [{ state: "queued" }, { view: "queue" }],
    [{ state: "assigned", agent_id: "you" }, { view: "team" }],
    [{ state: "assigned", agent_id: "me" }, {}],
  ])("leads to its place on the workbench: %s", (changed, query) => {
    expect(placeOf({ ...TALK, ...changed }, "me")).toEqual({ name: "desk", params: { conversation: "c1" }, query });
  });
});

describe("a conversation around a message", () => {
  const frame = (number: number) => ({
    t: "ev",
    s: "conv:c1",
    id: `m${number}`,
    position: [1, number],
    type: "chat.message.v1",
    time: "2026-11-11T02:00:00Z",
    d: { sender_id: "b", sender_kind: "buyer", client_id: `x${number}`, kind: "text", d: { text: `第${number}句` } },
  });
  const texts = (shown: Conversation | null | undefined) => shown?.items.map((item) => item.text);

  it("is whole between what was read, both ways", async () => {
    const pages: Record<string, unknown> = {
      "/v1/conversations/c1": { id: "c1", buyer: { id: "b", name: "王*明" } },
      "/v1/conversations/c1/messages?around=m5&limit=60": { items: [6, 5, 4].map(frame), next_cursor: "o", previous_cursor: "n" },
      "/v1/conversations/c1/messages?limit=60&order=desc&cursor=o": { items: [3].map(frame), next_cursor: null },
      "/v1/conversations/c1/messages?limit=60&order=asc&cursor=n": { items: [7, 8].map(frame), next_cursor: null },
    };
    core.get.mockImplementation(async (path: string) => pages[path]);
    const { shown, hasNewer, older, newer } = useAround("c1", "m5");
    await flushPromises();
    expect([texts(shown.value), shown.value?.older, hasNewer.value]).toEqual([["第4句", "第5句", "第6句"], "more", true]);
    expect(shown.value?.items.map((item) => item.clientId)).toEqual([null, null, null]);

    await older();
    await newer();

    expect([texts(shown.value), shown.value?.older, hasNewer.value]).toEqual([["第3句", "第4句", "第5句", "第6句", "第7句", "第8句"], "none", false]);
    expect(shown.value?.buyer).toBe("王*明");
  });

  it("says when it cannot be read", async () => {
    core.get.mockRejectedValue(new Error("away"));
    const { shown } = useAround("c1", "m5");
    await flushPromises();
    expect(shown.value).toBeNull();
  });
});
