import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";

import { EMPTY, type Me, type State } from "@/core/types.ts";
import WorkList from "@/features/work/WorkList.vue";
import type { WorkItem } from "@/features/work/items.ts";
import { i18n, speak } from "@/locales/i18n.ts";

const NOW = Date.parse("2026-11-11T12:00:00.000Z");
const ITEM: WorkItem = { id: "w1", order_id: "o1", buyer_id: "b", kind: "verify_address", attempt: 1, agent_id: "me", also: null, due_at: "2026-11-11T13:00:00.000Z", level: 0 };
const LATE: WorkItem = { ...ITEM, id: "w2", agent_id: "p2", attempt: 2, due_at: "2026-11-11T11:00:00.000Z", level: 1 };

let live: State;
let items: WorkItem[];
let orders: () => unknown;
const core = {
  get: vi.fn(async (path: string): Promise<unknown> => {
    if (path.startsWith("/v1/orders")) return orders();
    return path.startsWith("/v1/agents") ? { items: [{ id: "p2", name: "小王" }] } : { items, next_cursor: null };
  }),
};
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live }) }));

enableAutoUnmount(afterEach);

beforeEach(async () => {
  await speak("zh-CN");
  live = shallowReactive({ ...EMPTY, session: "in" as const, me: { id: "me", name: "小陈", role: "agent", shopId: "s", state: "online" } as Me });
  items = [ITEM, LATE];
  orders = () => ({ items: [{ id: "o1", external_id: "T0042", buyer: { name: "王*明" } }] });
  core.get.mockClear();
});

async function shown() {
  const list = mount(WorkList, { props: { open: "", now: NOW }, global: { plugins: [i18n] } });
  await flushPromises();
  return list;
}

describe("what is to be done", () => {
  it("stands by when it is due, with who has it and what is late", async () => {
    const list = await shown();
    const rows = list.findAll("li").map((row) => row.text());

    expect(rows[0]).toContain("已逾期");
    expect(rows[0]).toContain("已升级 1 次");
    expect(rows[0]).toContain("小王");
    expect(rows[0]).toContain("第 2 次");
    expect(rows[1]).toContain("核对收货地址");
    expect(rows[1]).not.toContain("已逾期");
  });

  it("names its order and the buyer, each order asked for once", async () => {
    items = [ITEM, LATE, { ...ITEM, id: "w3", order_id: "o2" }];
    const list = await shown();

    expect(list.findAll("li").map((row) => row.find(".order").exists() && row.get(".order").text())).toEqual(["T0042 · 王*明", "T0042 · 王*明", false]);
    live.work += 1;
    await flushPromises();
    expect(core.get.mock.calls.map(([path]) => path).filter((path) => path.startsWith("/v1/orders"))).toEqual(["/v1/orders?ids=o1,o2"]);
  });

  it("stands without the name of its order while that cannot be had, and asks again", async () => {
    orders = () => {
      throw { code: "unreachable" };
    };
    const list = await shown();
    expect(list.findAll("li")).toHaveLength(2);
    orders = () => ({ items: [{ id: "o1", external_id: "T0042", buyer: { name: "王*明" } }] });

    items = [ITEM, LATE];
    live.work += 1;
    await flushPromises();

    expect(list.get("li .order").text()).toBe("T0042 · 王*明");
  });

  it("is one's own first, and everybody's for who leads", async () => {
    await shown();
    expect(core.get.mock.calls.map(([path]) => path)).toContain("/v1/work-items?state=open&limit=200&agent_id=me");
    core.get.mockClear();

    live.me = { ...(live.me as Me), role: "supervisor" };
    await shown();
    expect(core.get.mock.calls.map(([path]) => path)).toContain("/v1/work-items?state=open&limit=200");
  });

  it("goes when somebody is told that it is done", async () => {
    const list = await shown();
    items = [ITEM];
    live.work += 1;
    await flushPromises();

    expect(list.findAll("li")).toHaveLength(1);
  });

  it("opens", async () => {
    const list = await shown();
    await list.findAll("li button")[1]?.trigger("click");

    expect(list.emitted("open")).toEqual([[ITEM]]);
  });
});
