/** How many wait through the day: drawn as it was answered, and said in a table beside it. */

import { flushPromises, mount, type VueWrapper } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";

import { EMPTY } from "@/core/types.ts";
import { hours, mostOf, type Curve } from "@/features/board/curve.ts";
import WaitingCurve from "@/features/board/WaitingCurve.vue";
import { i18n, speak } from "@/locales/i18n.ts";
import { zone } from "@/zone.ts";

import { NOW, core, world, reset } from "./showing.ts";

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: world.live }) }));
vi.mock("@/now.ts", async (original) => ({ ...(await original<object>()), useNow: () => world.now }));
vi.mock("@/ui/LineChart.vue", () => ({ default: { props: ["lines", "label"], emits: ["over"], template: '<div class="chart" :aria-label="label" />' } }));

/** NOW is 08:01 in Shanghai: 481 minutes have ended or run. */
const MINUTES = 482;
const START = "2026-11-10T16:00:00Z";
const today: Curve = {
  day: "2026-11-11",
  time_zone: "Asia/Shanghai",
  start: START,
  end: "2026-11-11T16:00:00Z",
  waiting: Array.from({ length: MINUTES }, (_, minute) => (minute === 61 ? 9 : minute < 481 ? 2 : 5)),
  opened: Array.from({ length: MINUTES }, (_, minute) => (minute % 60 === 0 ? 1 : 0)),
};
const before: Curve = { day: "2026-11-10", time_zone: "Asia/Shanghai", start: "2026-11-09T16:00:00Z", end: START, waiting: Array.from({ length: 1_440 }, () => 7), opened: Array.from({ length: 1_440 }, () => 1) };

beforeEach(async () => {
  reset();
  // A wall may hang where nobody said the shop's zone.
  zone.value = "Europe/Berlin";
  world.live = shallowReactive({ ...EMPTY, connection: "connected", me: { id: "me", name: "主管", role: "supervisor", shopId: "s", state: null } });
  world.answers = { "/v1/monitor/curve?shop=s&day=2026-11-10": before, "/v1/monitor/curve?shop=s": today };
  world.now.value = NOW;
  await speak("zh-CN");
});

async function show(): Promise<VueWrapper> {
  const page = mount(WaitingCurve, { global: { plugins: [i18n] }, attachTo: document.body });
  await flushPromises();
  return page;
}

describe("hours of a day", () => {
  it("have the most that waited at once, today's beside those of the day before", () => {
    const all = hours(today, before);

    expect(all).toHaveLength(24);
    expect(all.slice(0, 3).map((one) => one.most)).toEqual([2, 9, 2]);
    expect(all[8]).toEqual({ start: Date.parse(START) + 8 * 3_600_000, most: 5, began: 1, mostBefore: 7 });
    expect(all[9]).toMatchObject({ most: null, began: null, mostBefore: 7 });
  });

  it("are twenty-five where clocks go back, and stand alone while nobody has said yesterday's", () => {
    const all = hours({ ...today, end: "2026-11-11T17:00:00Z" }, null);

    expect(all).toHaveLength(25);
    expect(all.every((one) => one.mostBefore === null)).toBe(true);
    expect(mostOf([])).toBeNull();
  });
});

describe("the curve on the board", () => {
  it("says how many wait now and at this time yesterday, and draws the whole day", async () => {
    const page = await show();

    expect(page.get(".said").text()).toMatch(/08:01.*今天 5.*昨天 7/);
    expect(page.get(".chart").attributes("aria-label")).toContain("今天最多 9 位");
    const lines = page.getComponent({ name: "LineChart" }).props("lines") as { values: unknown[] }[];
    expect(lines.map((line) => line.values.length)).toEqual([1_440, 1_440]);
    expect(lines[1]?.values.slice(480, 484)).toEqual([2, 5, null, null]);
  });

  it("lists by the hour what it draws", async () => {
    const page = await show();
    await page.get("button").trigger("click");

    const rows = page.findAll("tbody tr").map((row) => row.findAll("th, td").map((cell) => cell.text()));
    expect(rows).toHaveLength(24);
    expect(rows[1]).toEqual(["01:00", "9", "7", "1"]);
    expect(rows[23]).toEqual(["23:00", "–", "7", "–"]);
  });

  it("says the minute that the pointer is on", async () => {
    const page = await show();
    page.getComponent({ name: "LineChart" }).vm.$emit("over", 61);
    await flushPromises();

    expect(page.get(".said").text()).toMatch(/01:01.*今天 9.*昨天 7/);
  });

  it("keeps the last answer and says that there was none since", async () => {
    const page = await show();
    world.answers = {};
    document.dispatchEvent(new Event("visibilitychange"));
    await flushPromises();

    expect(page.get("[role=status]").text()).toContain("暂时取不到");
    expect(page.get(".said").text()).toMatch(/今天 5/);
  });
});
