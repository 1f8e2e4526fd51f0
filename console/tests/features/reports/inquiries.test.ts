import { flushPromises, mount, type VueWrapper } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ref, shallowReactive } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";

import { EMPTY, type State } from "@/core/types.ts";
import type { InquiriesAnswer, InquiriesRow } from "@/features/reports/inquiries.ts";
import InquiriesPage from "@/features/reports/InquiriesPage.vue";
import { i18n, speak } from "@/locales/i18n.ts";
import { zone } from "@/zone.ts";

const NOW = Date.parse("2026-11-11T04:00:00.000Z");
const world = vi.hoisted(() => ({ live: {} as State, answers: {} as Record<string, unknown> }));
const core = { get: vi.fn(async (path: string) => answered(path)), sheet: vi.fn(async () => "") };
const now = ref(NOW);

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: world.live }) }));
vi.mock("@/now.ts", async (original) => ({ ...(await original<object>()), useNow: () => now }));

function answered(path: string): unknown {
  const found = Object.entries(world.answers).find(([start]) => path.startsWith(start));
  if (found === undefined) throw Object.assign(new Error(path), { code: "not_found", title: path });
  return found[1];
}

const figure = (numerator: number, denominator: number, provisional = true) => ({ value: denominator === 0 ? null : numerator / denominator, numerator, denominator, provisional });
const ROW: InquiriesRow = {
  agent_id: null,
  day: null,
  consulted: 40,
  received: 30,
  unreceived: 6,
  filtered: { ids: 0, own_staff: 1, leave_message: 0, bot_only: 3 },
  reception: figure(30, 36),
  answers: figure(90, 120),
  slow: figure(2, 30),
  delivered: figure(1, 200),
  most_at_once: 5,
};
const SHOP: InquiriesAnswer = { by: "shop", start: "2026-11-10T16:00:00Z", end: "2026-11-11T16:00:00Z", as_of: "2026-11-11T03:59:00Z", available_from: "2026-11-01", rows: [ROW] };
const NOBODY = { ...ROW, agent_id: "gone", consulted: 0, received: 0, unreceived: 0, filtered: {}, most_at_once: 0, reception: figure(0, 0), answers: figure(0, 0), slow: figure(0, 0), delivered: figure(0, 0) };
const AGENTS: InquiriesAnswer = { ...SHOP, by: "agent", rows: [{ ...ROW, agent_id: "a7" }, NOBODY] };
const SPENT = { agents: 1, first: null, last: null, online_ms: 0, busy_ms: 0, break_ms: 0, suspended_ms: 0, unknown_ms: 0 };
const HOURS = { start: SHOP.start, end: SHOP.end, as_of: SHOP.as_of, by: "agent", rows: [{ ...SPENT, agent_id: "a7", start: null, utilisation: figure(1, 4) }] };
const ASKED = "/v1/monitor/inquiries?shop=s&from=2026-11-11&to=2026-11-12";

beforeEach(async () => {
  document.body.replaceChildren();
  zone.value = "Asia/Shanghai";
  world.live = shallowReactive({ ...EMPTY, session: "in", me: { id: "me", name: "主管", role: "supervisor", shopId: "s", state: null } }) as State;
  world.answers = {
    "/v1/console": { profiles: [{ name: "qiyu", title: { zh: "七鱼", en: "Qiyu" } }], levels_profile: "qiyu", categories: [] },
    "/v1/agents": { items: [{ id: "a7", name: "客服7号" }], next_cursor: null },
    [`${ASKED}&by=shop&profile=qiyu`]: SHOP,
    [`${ASKED}&by=agent&profile=qiyu`]: AGENTS,
    "/v1/monitor/hours?shop=s&from=2026-11-11&to=2026-11-12&by=agent": HOURS,
  };
  await speak("zh-CN");
});

async function show(path = "/reports/inquiries"): Promise<VueWrapper> {
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: "/reports/:name?", name: "reports", component: { template: "<i />" } }] });
  await router.push(path);
  const page = mount(InquiriesPage, { global: { plugins: [i18n, router] }, attachTo: document.body });
  await flushPromises();
  return page;
}

const cells = (page: VueWrapper) => page.findAll("tbody tr").map((row) => row.findAll("th, td:not(.share)").map((cell) => cell.text()));

describe("the report of inquiries", () => {
  it("answers of the shop, which agents do not add up to, and of each agent", async () => {
    const page = await show();

    expect(page.get(".answer").text()).toBe("咨询 40 人，接待 30 人，未接待 6 人，接待率 83.3%；答问比 75%；单人同时接待最多 5 人。 统计到 11/11 11:59，之后还会变。");
    expect(cells(page)).toEqual([
      ["客服7号", "40", "30", "6", "4", "83.3%", "75%", "5", "2", "0.5%", "25%"],
      ["客服", "0", "0", "0", "0", "–", "–", "0", "0", "–", "–"],
    ]);
  });

  it("says where nobody asked, and from which day on it is told whole", async () => {
    const empty = { ...ROW, consulted: 0, reception: figure(0, 0, false) };
    world.answers[`${ASKED}&by=shop&profile=qiyu`] = { ...SHOP, available_from: "2026-11-12", rows: [empty] };
    expect((await show()).get(".answer").text()).toBe("这段时间没有买家咨询。 11/12 起的数据才完整。");

    world.answers[`${ASKED}&by=shop&profile=qiyu`] = { ...SHOP, available_from: null, rows: [empty] };
    expect((await show()).get(".answer").text()).toContain("完整的一天要到明天");
  });

  it("names days by the shop's own date, and joins the hours of each", async () => {
    world.answers[`${ASKED}&by=day&profile=qiyu`] = { ...SHOP, by: "day", rows: [{ ...ROW, day: "2026-11-11" }] };
    world.answers["/v1/monitor/hours?shop=s&from=2026-11-11&to=2026-11-12&by=day"] = { ...HOURS, by: "day", rows: [{ ...SPENT, agent_id: null, start: "2026-11-10T16:00:00Z", utilisation: figure(1, 2) }] };
    const page = await show("/reports/inquiries?by=day");

    expect(cells(page)[0]).toEqual(["11/11", "40", "30", "6", "4", "83.3%", "75%", "5", "2", "0.5%", "50%"]);
  });
});
