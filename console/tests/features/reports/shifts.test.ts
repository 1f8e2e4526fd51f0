import { flushPromises, mount, type VueWrapper } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ref, shallowReactive } from "vue";
import { createMemoryHistory, createRouter, type Router } from "vue-router";

import { EMPTY, type State } from "@/core/types.ts";
import { byStart, hourOf, stretchOf, whole } from "@/features/reports/shifts.ts";
import ShiftsPage from "@/features/reports/ShiftsPage.vue";
import { i18n, speak } from "@/locales/i18n.ts";
import { zone } from "@/zone.ts";

const NOW = Date.parse("2026-11-11T04:00:00.000Z");
const world = vi.hoisted(() => ({ live: {} as State, rows: [] as unknown[], shift: "" }));
const core = { get: vi.fn(async (path: string) => answered(path)), sheet: vi.fn<(path: string) => Promise<string>>(async () => "") };
const now = ref(NOW);

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: world.live }) }));
vi.mock("@/now.ts", async (original) => ({ ...(await original<object>()), useNow: () => now }));

function answered(path: string): unknown {
  if (path === "/v1/console") return { profiles: [{ name: "taobao_2022", title: { zh: "淘宝 2022", en: "Taobao 2022" } }], levels_profile: "taobao_2022" };
  if (path.startsWith("/v1/agents")) return { items: [{ id: "a7", name: "客服7号" }, { id: "a8", name: "客服8号" }], next_cursor: null };
  return { within_ms: 180_000, first_within_ms: 30_000, start: "2026-11-10T08:00:00Z", end: "2026-11-11T17:00:00Z", shift: world.shift, rows: world.rows };
}

const raw = (agent: string | null, start: string, changed: Record<string, unknown> = {}) => ({ agent_id: agent, start, rounds: 4, round_ms: 110_000, unanswered: 1, within: 3, sessions: 4, first_responses: 3, first_within: 2, ...changed });

beforeEach(async () => {
  document.body.replaceChildren();
  zone.value = "Asia/Shanghai";
  world.live = shallowReactive({ ...EMPTY, session: "in", me: { id: "me", name: "主管", role: "supervisor", shopId: "s", state: null } }) as State;
  world.shift = "16:00-01:00";
  world.rows = [raw("a7", "2026-11-10T08:00:00Z"), raw("a8", "2026-11-10T08:00:00Z", { rounds: 6, round_ms: 90_000 }), raw("a7", "2026-11-11T08:00:00Z", { rounds: 0, round_ms: 0, within: 0, unanswered: 0 }), raw(null, "2026-11-11T08:00:00Z")];
  core.get.mockClear();
  await speak("zh-CN");
});

async function show(query: string): Promise<{ page: VueWrapper; router: Router }> {
  const routes = [
    { path: "/reports/shifts", name: "reports", component: { components: { ShiftsPage }, template: "<ShiftsPage />" } },
    { path: "/board", name: "board", component: { template: "<p />" } },
  ];
  const router = createRouter({ history: createMemoryHistory(), routes });
  await router.push(`/reports/shifts?${query}`);
  const page = mount({ template: "<RouterView />" }, { global: { plugins: [i18n, router] }, attachTo: document.body });
  await flushPromises();
  return { page, router };
}

describe("the report of shifts", () => {
  it("asks for the hours in the address, and tells of each shift and of who was there", async () => {
    const { page } = await show("from=2026-11-10&until=2026-11-11&begin=16:00&end=01:00");

    expect(core.get).toHaveBeenCalledWith("/v1/monitor/figures?shop=s&from=2026-11-10&to=2026-11-12&profile=taobao_2022&by=agent&shift=16%3A00-01%3A00");
    expect(page.get(".answer").text()).toContain("共 14 轮对话");
    const [shifts, agents] = page.findAll("table").map((table) => table.findAll("tbody tr").map((row) => row.text()));
    expect(shifts).toHaveLength(2);
    expect(shifts?.[0]).toContain("10");
    expect(agents?.map((row) => row.slice(0, 14))).toEqual([expect.stringContaining("客服7号"), expect.stringContaining("客服8号"), expect.stringContaining("客服7号"), expect.stringContaining("没有客服")]);
  });

  it("opens what a shift and an agent of it count, in its hours", async () => {
    const { page, router } = await show("from=2026-11-10&until=2026-11-11&begin=16:00&end=01:00");
    const [shift] = page.findAll("table")[0]?.findAll("a") ?? [];
    await shift?.trigger("click");
    await flushPromises();
    expect(router.currentRoute.value.query).toEqual({ profile: "taobao_2022", drill: "rounds.all", from: "2026-11-10T16:00", to: "2026-11-11T01:00" });

    router.back();
    await flushPromises();
    const [agent] = page.findAll("table")[1]?.findAll("a") ?? [];
    await agent?.trigger("click");
    await flushPromises();
    expect(router.currentRoute.value.query.drill).toBe("rounds.all.a7");
  });

  it("takes no hours that are none", async () => {
    await show("begin=25:00&end=x");

    expect(core.get.mock.calls.some(([path]) => path.endsWith("shift=08%3A30-16%3A00"))).toBe(true);
    expect([hourOf("24:00"), hourOf("9:00"), hourOf("09:00")]).toEqual([null, null, "09:00"]);
  });

  it("ends on the next day where it does not end behind its begin", () => {
    expect(stretchOf("2026-11-30", { begin: "08:30", end: "16:00" })).toEqual({ from: "2026-11-30T08:30", to: "2026-11-30T16:00" });
    expect(stretchOf("2026-11-30", { begin: "16:00", end: "01:00" }).to).toBe("2026-12-01T01:00");
    expect(stretchOf("2026-11-30", { begin: "09:00", end: "09:00" }).to).toBe("2026-12-01T09:00");
  });

  it("has nothing to add up where there is nothing", () => {
    expect([byStart([]), whole([])]).toEqual([[], null]);
  });
});
