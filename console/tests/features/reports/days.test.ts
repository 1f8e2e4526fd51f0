import { flushPromises, mount, type VueWrapper } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ref, shallowReactive } from "vue";
import { createMemoryHistory, createRouter, type Router } from "vue-router";

import { EMPTY, type State } from "@/core/types.ts";
import { hoursOf, shares, sum, wholeOf, type HoursAnswer, type WaitsAnswer, type WordingAnswer } from "@/features/reports/days.ts";
import { i18n, speak } from "@/locales/i18n.ts";
import ReportsPlace from "@/places/ReportsPlace.vue";
import { zone } from "@/zone.ts";

const NOW = Date.parse("2026-11-11T04:00:00.000Z");
const world = vi.hoisted(() => ({ live: {} as State, answers: {} as Record<string, unknown> }));
const core = { get: vi.fn(async (path: string) => answered(path)), sheet: vi.fn<(path: string) => Promise<string>>(async () => "\ufeffstart,began\r\n") };
const now = ref(NOW);

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: world.live }) }));
vi.mock("@/now.ts", async (original) => ({ ...(await original<object>()), useNow: () => now }));
vi.mock("@/ui/LineChart.vue", () => ({ default: { props: ["lines", "label"], template: '<div class="chart" :aria-label="label" />' } }));

function answered(path: string): unknown {
  const found = Object.entries(world.answers).find(([start]) => path.startsWith(start));
  if (found === undefined || found[1] instanceof Error) throw found?.[1] ?? Object.assign(new Error(path), { code: "not_found", title: path });
  return found[1];
}

const WAITS: WaitsAnswer = {
  start: "2026-11-10T16:00:00Z",
  end: "2026-11-11T16:00:00Z",
  bucket: "hour",
  rows: [
    { start: "2026-11-11T00:00:00Z", began: 12, ended: 9, most: 5, waited_minutes: 80 },
    { start: "2026-11-11T01:00:00Z", began: 3, ended: 6, most: 4, waited_minutes: 20 },
  ],
};
const SUMS = { blocked: 2, asked: 3, meant: 1, flags_agent: 4, flags_buyer: 0 };
const WORDING: WordingAnswer = {
  start: "2026-11-10T16:00:00Z",
  end: "2026-11-11T16:00:00Z",
  by: "category",
  whole: SUMS,
  rows: [
    { ...SUMS, category: "shirking", agent_id: null, start: null },
    { blocked: 1, asked: 0, meant: 0, flags_agent: 1, flags_buyer: 0, category: "insult", agent_id: null, start: null },
  ],
};

const HOUR = 3_600_000;
const USED = { value: 0.25, numerator: 1, denominator: 4, provisional: true };
const SPENT = { utilisation: USED, online_ms: 7.5 * HOUR, busy_ms: HOUR, break_ms: HOUR / 2, suspended_ms: 0, unknown_ms: 0 };
const HOURS: HoursAnswer = {
  start: "2026-11-10T16:00:00Z",
  end: "2026-11-11T16:00:00Z",
  as_of: "2026-11-11T04:00:00Z",
  by: "agent",
  rows: [
    { agent_id: "a7", start: null, agents: 1, first: "2026-11-11T00:58:00Z", last: "2026-11-11T04:00:00Z", ...SPENT },
    { agent_id: "gone", start: null, agents: 0, first: null, last: null, ...SPENT, online_ms: 0, busy_ms: 0, unknown_ms: HOUR },
  ],
};

beforeEach(async () => {
  document.body.replaceChildren();
  zone.value = "Asia/Shanghai";
  world.live = shallowReactive({ ...EMPTY, session: "in", me: { id: "me", name: "主管", role: "supervisor", shopId: "s", state: null } }) as State;
  world.answers = {
    "/v1/console": { profiles: [], levels_profile: null, categories: [{ code: "shirking", zh: "推脱", en: "Shirking" }] },
    "/v1/agents": { items: [{ id: "a7", name: "客服7号" }], next_cursor: null },
    "/v1/monitor/waits?shop=s&from=2026-11-11&to=2026-11-12&bucket=hour": WAITS,
    "/v1/monitor/wording?shop=s&from=2026-11-11&to=2026-11-12&by=category": WORDING,
    "/v1/monitor/hours?shop=s&from=2026-11-11&to=2026-11-12&by=agent": HOURS,
  };
  core.get.mockClear();
  core.sheet.mockClear();
  await speak("zh-CN");
});

async function show(path: string): Promise<{ page: VueWrapper; router: Router }> {
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: "/reports/:name?", name: "reports", component: { template: "<i />" } }] });
  await router.push(path);
  const page = mount(ReportsPlace, { global: { plugins: [i18n, router] }, attachTo: document.body });
  await vi.dynamicImportSettled();
  await flushPromises();
  return { page, router };
}

const cells = (page: VueWrapper) => page.findAll("tbody tr").map((row) => row.findAll("th, td:not(.share)").map((cell) => cell.text()));

describe("the whole of a stretch", () => {
  it("adds up what is a sum, and says when most waited at once", () => {
    expect(wholeOf(WAITS)).toEqual({ began: 15, most: 5, waited: 100, mostAt: "2026-11-11T00:00:00Z" });
    expect(wholeOf({ ...WAITS, rows: [] })).toEqual({ began: 0, most: 0, waited: 0, mostAt: null });
  });

  it("gives each row its share of the largest", () => {
    const rows = [
      { key: "a", name: "a", numbers: [1, 3] },
      { key: "b", name: "b", numbers: [0, 1] },
    ];
    expect(shares(rows, sum).map((row) => row.share)).toEqual([1, 0.25]);
  });
});

describe("the report of waiting", () => {
  it("answers in one sentence, and in a table by the hour", async () => {
    const { page } = await show("/reports/waits");

    expect(page.get(".answer").text()).toBe("等待人工 15 次；同时等待最多 5 位，在 08:00；合计等了约 100 分钟。");
    expect(cells(page)).toEqual([
      ["08:00", "12", "9", "5", "80"],
      ["09:00", "3", "6", "4", "20"],
    ]);
    expect(page.get(".chart").attributes("aria-label")).toBe("同时等待最多的买家");
  });

  it("asks by the day for more than three", async () => {
    world.answers["/v1/monitor/waits?shop=s&from=2026-11-01&to=2026-11-12&bucket=day"] = { ...WAITS, bucket: "day", rows: [] };
    const { page } = await show("/reports/waits?from=2026-11-01&until=2026-11-11");

    expect(page.get(".answer").text()).toBe("这段时间没有买家等过人工");
  });

  it("says why there is none and keeps what was there, greyed while it asks", async () => {
    const { page, router } = await show("/reports/waits");
    world.answers["/v1/monitor/waits"] = Object.assign(new Error("x"), { code: "unavailable" });
    await router.replace("/reports/waits?from=2026-11-10&until=2026-11-10");
    await flushPromises();

    expect(page.text()).toContain("统计服务暂时没有回答");
    expect(page.get(".body").attributes("aria-busy")).toBe("true");
    expect(cells(page)).toHaveLength(2);
  });
});

describe("the report of wording", () => {
  it("names categories as the shop does, and counts each message once in its sentence", async () => {
    const { page } = await show("/reports/wording");

    expect(page.get(".answer").text()).toContain("拦截 2 条");
    expect(cells(page)).toEqual([
      ["推脱", "2", "3", "1", "4", "0"],
      ["insult", "1", "0", "0", "1", "0"],
    ]);
  });

  it("is told by agent, and saved as it is shown", async () => {
    world.answers["/v1/monitor/wording?shop=s&from=2026-11-11&to=2026-11-12&by=agent"] = { ...WORDING, by: "agent", rows: [{ ...SUMS, category: null, agent_id: "a7", start: null }] };
    const { page, router } = await show("/reports/wording");
    await page.get("select").setValue("agent");
    await flushPromises();
    await page.findAll("button").find((one) => one.text().includes("导出"))?.trigger("click");

    expect(router.currentRoute.value.fullPath).toBe("/reports/wording?by=agent");
    expect(cells(page)[0]?.[0]).toBe("客服7号");
    expect(core.sheet).toHaveBeenCalledWith("/v1/monitor/wording?shop=s&from=2026-11-11&to=2026-11-12&by=agent");
  });
});

it("leads from one report to another of the same days", async () => {
  const { page, router } = await show("/reports/waits?from=2026-11-11&until=2026-11-11");
  await page.findAll("nav a").find((one) => one.text() === "用语")?.trigger("click");
  await flushPromises();

  expect(router.currentRoute.value.fullPath).toBe("/reports/wording?from=2026-11-11&until=2026-11-11");
  expect(page.get("nav [aria-current=page]").text()).toBe("用语");
});

describe("the report of hours", () => {
  it("writes how long in hours and minutes, never more than there was", () => {
    expect([0, 59_999, 60_000, HOUR - 1, 7.5 * HOUR, 100 * HOUR].map(hoursOf)).toEqual(["0:00", "0:00", "0:01", "0:59", "7:30", "100:00"]);
  });

  it("says who was at work how long, by the clock of the shop", async () => {
    const { page } = await show("/reports/hours");

    expect(page.get(".answer").text()).toBe("在岗合计 8:30 小时，小休 1:00 小时；统计到 11/11 12:00。");
    expect(cells(page)).toEqual([
      ["客服7号", "1", "08:58", "12:00", "7:30", "1:00", "0:30", "0:00", "0:00"],
      ["客服", "0", "–", "–", "0:00", "0:00", "0:30", "0:00", "1:00"],
    ]);
  });

  it("says so where nobody was online, and where nothing is counted yet", async () => {
    world.answers["/v1/monitor/hours"] = { ...HOURS, rows: [] };
    delete world.answers["/v1/monitor/hours?shop=s&from=2026-11-11&to=2026-11-12&by=agent"];
    expect((await show("/reports/hours")).page.get(".answer").text()).toBe("这段时间没有客服上过线");

    world.answers["/v1/monitor/hours"] = { ...HOURS, rows: [], as_of: null };
    expect((await show("/reports/hours")).page.get(".answer").text()).toBe("工时正在统计，请稍后再看");
  });
});
