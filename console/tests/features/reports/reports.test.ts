import { flushPromises, mount, type VueWrapper } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ref, shallowReactive } from "vue";
import { createMemoryHistory, createRouter, type Router } from "vue-router";

import { EMPTY, type State } from "@/core/types.ts";
import { bars, firstShare, meanS, rowsOf, type ReportRow } from "@/features/reports/report.ts";
import ReportsPage from "@/features/reports/ReportsPage.vue";
import { i18n, speak } from "@/locales/i18n.ts";
import { zone } from "@/zone.ts";

const NOW = Date.parse("2026-11-11T04:00:00.000Z");
const HOUR = 3_600_000;
const world = vi.hoisted(() => ({ live: {} as State, answers: {} as Record<string, unknown>, sheet: "" as string | Error }));
const core = { get: vi.fn(async (path: string) => answered(path)), sheet: vi.fn<(path: string) => Promise<string>>(async () => sheet()) };
const now = ref(NOW);

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: world.live }) }));
vi.mock("@/now.ts", async (original) => ({ ...(await original<object>()), useNow: () => now }));

function answered(path: string): unknown {
  const found = Object.entries(world.answers).find(([start]) => path.startsWith(start));
  if (found === undefined || found[1] instanceof Error) throw found?.[1] ?? Object.assign(new Error(path), { code: "not_found", title: path });
  return found[1];
}

function sheet(): string {
  if (world.sheet instanceof Error) throw world.sheet;
  return world.sheet;
}

const raw = (changed: Record<string, unknown> = {}) => ({ agent_id: null, start: null, rounds: 4, round_ms: 110_000, unanswered: 1, within: 3, sessions: 4, first_responses: 3, first_within: 2, ...changed });
const told = (...rows: unknown[]) => ({ within_ms: 180_000, first_within_ms: 30_000, start: "2026-11-10T16:00:00Z", end: "2026-11-11T16:00:00Z", rows });
const ASKED = "/v1/monitor/figures?shop=s&profile=taobao_2022&from=2026-11-11&to=2026-11-12";
const FACTS = {
  profiles: [
    { name: "qiyu", title: { zh: "七鱼", en: "Qiyu" } },
    { name: "taobao_2022", title: { zh: "淘宝 2022", en: "Taobao 2022" } },
  ],
  levels_profile: "taobao_2022",
};

beforeEach(async () => {
  document.body.replaceChildren();
  zone.value = "Asia/Shanghai";
  world.live = shallowReactive({ ...EMPTY, session: "in", me: { id: "me", name: "主管", role: "supervisor", shopId: "s", state: null } }) as State;
  world.sheet = "\ufeffstart,agent\r\n";
  world.answers = {
    "/v1/console": FACTS,
    "/v1/agents": { items: [{ id: "a7", name: "客服7号" }], next_cursor: null },
    [`${ASKED}&bucket=hour`]: told(raw({ start: "2026-11-11T00:00:00Z" }), raw({ start: "2026-11-11T02:00:00Z", rounds: 0, round_ms: 0, within: 0 })),
    [`${ASKED}&by=agent`]: told(raw({ agent_id: "a7" }), raw({ rounds: 0, round_ms: 0, within: 0, sessions: 0, first_within: 0 })),
    [ASKED]: told(raw()),
  };
  core.get.mockClear();
  await speak("zh-CN");
});

async function show(path = "/reports"): Promise<{ page: VueWrapper; router: Router }> {
  const routes = [
    { path: "/reports", name: "reports", component: { components: { ReportsPage }, template: "<ReportsPage />" } },
    { path: "/board", name: "board", component: { template: "<p />" } },
  ];
  const router = createRouter({ history: createMemoryHistory(), routes });
  await router.push(path);
  const page = mount({ template: "<RouterView />" }, { global: { plugins: [i18n, router] }, attachTo: document.body });
  await flushPromises();
  return { page, router };
}

describe("a report", () => {
  it("says today's response in one sentence, as a chart, as a table and by agent", async () => {
    const { page } = await show();

    expect(page.get(".answer").text()).toBe("平均响应 27.5 秒，共 4 轮对话；首次 30 秒内 50%；一直没有回复 1 轮。");
    expect(page.findAll("svg rect")).toHaveLength(1);
    expect(Number(page.get("svg rect").attributes("x"))).toBe(8 * 40 + 1);
    expect(page.findAll(".chart text").map((name) => name.text())).toEqual(["00:00", "02:00", "04:00", "06:00", "08:00", "10:00", "12:00", "14:00", "16:00", "18:00", "20:00", "22:00"]);
    expect(page.get("svg rect title").text()).toBe("08:00 · 27.5 秒 · 4 轮对话");
    const [agents, hours] = page.findAll("table").map((table) => table.findAll("tbody tr").map((row) => row.text()));
    expect(agents?.[0]).toMatch(/客服7号.*4.*27.5 秒.*75%.*1.*4.*50%/);
    expect(agents?.[1]).toMatch(/没有客服.*0.*–.*–.*1/);
    expect(hours).toHaveLength(2);
    expect(hours?.[1]).toMatch(/10:00.*0.*–/);
  });

  it("says how responses spread, which sessions were missed, and why a cell is empty", async () => {
    const figure = (value: number | null, numerator: number, denominator: number, more: object = {}) => ({ value, numerator, denominator, exact: true, why: null, ...more });
    const spread = (of: string, ...ms: number[]) => Object.fromEntries(["p50", "p90", "p99", "max"].map((rank, place) => [`${of}_${rank}`, figure(ms[place] ?? null, place, ms.length, { exact: rank === "max", why: ms.length === 0 ? "no_answer" : null })]));
    const missed = { missed: figure(0.75, 3, 4), assigned_silent: figure(0.5, 2, 4), left_in_queue: figure(0.25, 1, 4), never_assigned: figure(0, 0, 4) };
    world.answers[`${ASKED}&metrics=art`] = told(raw({ metrics: { ...spread("frt"), ...spread("round", 10_000, 20_000, 30_000, 40_000), ...missed } }));
    const night = { rounds: 0, round_ms: 0, unanswered: 0, within: 0, sessions: 0, first_within: 0, metrics: { art: figure(null, 0, 0, { why: "no_traffic" }), first_within: figure(null, 0, 0, { why: "of_a_later_release" }) } };
    world.answers[`${ASKED}&bucket=hour`] = told(raw({ start: "2026-11-11T00:00:00Z" }), raw({ start: "2026-11-11T02:00:00Z", ...night }));
    world.answers = Object.fromEntries(Object.entries(world.answers).sort(([one], [other]) => other.length - one.length));
    const { page } = await show();
    const tables = page.findAll("table").map((table) => [table.get("caption").text(), ...table.findAll("tbody tr").map((row) => row.findAll("th, td").map((cell) => cell.text()).join(" "))]);

    expect(tables[0]).toEqual(["响应分布", "首次响应 没有回复 没有回复 没有回复 没有回复 0", "每轮响应 约 10 秒 约 20 秒 约 30 秒 40 秒 4"]);
    expect(tables[1]).toEqual(["漏接（共 4 次会话）", "已分配，未回复 2 50%", "排队中离开 1 25%", "无客服在岗 0 0%", "合计 3 75%"]);
    expect(tables[3]?.[2]).toBe("10:00 0 无人来访 – 0 0 –");
  });

  it("says that what there was does not count under these rules", async () => {
    const outside = { value: null, numerator: 0, denominator: 0, exact: true, why: "outside_window" };
    world.answers = { [`${ASKED}&metrics=art`]: told(raw({ rounds: 0, unanswered: 0, sessions: 0, metrics: { art: outside } })), ...world.answers };
    const { page } = await show();

    expect(page.get(".answer").text()).toBe("这段时间有会话，但都不在这个口径的统计范围内");
  });

  it("leads from a number of an agent to the rounds that it counts", async () => {
    const { page, router } = await show();
    await page.findAll("tbody a").find((link) => link.text() === "1")?.trigger("click");
    await flushPromises();

    expect(router.currentRoute.value.name).toBe("board");
    expect(router.currentRoute.value.query).toEqual({ profile: "taobao_2022", drill: "rounds.unanswered.a7", from: "2026-11-11", to: "2026-11-12" });
  });

  it("is of the days and the profile in the address, by day where they are many", async () => {
    world.answers = { "/v1/monitor/figures?shop=s&profile=qiyu&from=2026-11-01&to=2026-11-11": told(), ...world.answers };
    const { page } = await show("/reports?from=2026-11-01&until=2026-11-10&profile=qiyu");

    expect(core.get.mock.calls.map(([path]) => path)).toContain("/v1/monitor/figures?shop=s&profile=qiyu&from=2026-11-01&to=2026-11-11&bucket=day&metrics=art%2Creply_rate%2Cfirst_within");
    expect(page.get(".answer").text()).toBe("这段时间没有会话");
    expect(page.find(".chart").exists()).toBe(false);
  });

  it("says why it cannot be had, and asks again when told", async () => {
    const { [ASKED]: whole } = world.answers;
    world.answers[ASKED] = Object.assign(new Error("away"), { code: "unavailable", title: "The service is unavailable" });
    const { page } = await show();
    expect(page.get(".strip").text()).toContain("报表暂时取不到：统计服务暂时没有回答");

    world.answers[ASKED] = whole;
    await page.get(".strip button").trigger("click");
    await flushPromises();

    expect(page.find(".strip").exists()).toBe(false);
    expect(page.get(".answer").text()).toContain("27.5 秒");
  });

  it("says that so many days are too many", async () => {
    const { page } = await show("/reports?from=2026-01-01&until=2026-11-11");
    world.answers = { "/v1/monitor/figures": Object.assign(new Error("no"), { code: "bad_stretch", title: "from and to must name a stretch of time" }), ...world.answers };
    await page.get(".strip button").trigger("click");
    await flushPromises();

    expect(page.get(".strip").text()).toContain("一次最多看 93 天");
  });

  it("says so where the file cannot be had", async () => {
    world.sheet = new Error("away");
    const { page } = await show();
    await page.get(".head button").trigger("click");
    await flushPromises();

    expect(core.sheet.mock.calls.at(-1)?.[0]).toBe(`${ASKED}&by=agent&bucket=hour`);
    expect(page.get(".strip").text()).toContain("文件暂时取不到");
  });

  it("speaks English where somebody wants it", async () => {
    await speak("en");
    const { page } = await show();

    expect(page.get(".answer").text()).toBe("Mean response 27.5 s over 4 rounds; 50% first answered within 30 s; 1 rounds never answered.");
  });
});

describe("bars of a chart", () => {
  const [row] = rowsOf(told(raw({ start: "2026-11-11T00:00:00Z" })) as never) as [ReportRow];

  it("stand where their part begins, as high as their share of the highest", () => {
    const start = row.start ?? 0;
    const found = bars([row, { ...row, start: start + 3 * HOUR, roundMs: 55_000 }, { ...row, start: start + HOUR, rounds: 0 }], start, start + 4 * HOUR, HOUR);

    expect(found.map((bar) => [bar.x, bar.width, bar.height])).toEqual([
      [0, 0.25, 1],
      [0.75, 0.25, 0.5],
    ]);
  });

  it("are none where nothing counts, which is not 0", () => {
    const nothing = { ...row, rounds: 0, sessions: 0 };

    expect([meanS(nothing), firstShare(nothing)]).toEqual([null, null]);
  });
});
