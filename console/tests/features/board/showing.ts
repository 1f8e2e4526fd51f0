/** The page of the board with a worker that tests play. */

import { flushPromises, mount, type VueWrapper } from "@vue/test-utils";
import { vi } from "vitest";
import { ref, shallowReactive, type Ref } from "vue";
import { createMemoryHistory, createRouter, type Router } from "vue-router";

import { BoardParts, TOGETHER_MS } from "@/core/boardParts.ts";
import { boardOf } from "@/core/boards.ts";
import { EMPTY, type State } from "@/core/types.ts";
import BoardPage from "@/features/board/BoardPage.vue";
import { i18n } from "@/locales/i18n.ts";

import { rawBoard } from "../../core/boards.ts";
import { ManualClock } from "../../core/time.ts";

export const NOW = Date.parse("2026-11-11T00:01:00.000Z");

export const core = {
  board: vi.fn(async () => undefined),
  watch: vi.fn<(id: string) => Promise<void>>(async () => undefined),
  unwatch: vi.fn<(id: string) => Promise<void>>(async () => undefined),
  call: vi.fn<(method: string, path: string, body?: unknown, how?: { key?: string }) => Promise<unknown>>(async () => ({})),
  get: vi.fn(async (path: string): Promise<unknown> => answer(path)),
};
export const world: { live: State; now: Ref<number>; answers: Record<string, unknown> } = { live: shallowReactive({ ...EMPTY }), now: ref(NOW), answers: {} };

function answer(path: string): unknown {
  const found = Object.entries(world.answers).find(([start]) => path.startsWith(start));
  if (found === undefined) throw Object.assign(new Error(path), { code: "not_found", title: path });
  if (found[1] instanceof Error) throw found[1];
  return found[1];
}

export const FACTS = {
  shop: { id: "s", name: "旗舰店", zone: "Asia/Shanghai" },
  profiles: [
    { name: "taobao_2022", title: { zh: "淘宝 2022", en: "Taobao 2022" }, window: { start: "08:00", end: "23:00" }, levels: null },
    { name: "jd_2021", title: { zh: "京东 2021", en: "JD 2021" }, window: { start: "09:00", end: "23:00" }, levels: null },
  ],
  levels_profile: "taobao_2022",
  categories: [{ code: "shirking", zh: "推脱", en: "Shirking", action: "block" }],
};

/** Begin anew: a supervisor is connected, and nothing is known yet. */
export function reset(): void {
  document.body.replaceChildren();
  const me = { id: "me", name: "主管", role: "supervisor", shopId: "s", state: null };
  const levels = { first: [10, 20, 30], later: [20, 100, 180] } as const;
  world.live = shallowReactive({ ...EMPTY, session: "in", me, levels, connection: "connected", connectionSince: NOW });
  world.now.value = NOW;
  world.answers = { "/v1/console": FACTS, "/v1/monitor/alerts": { items: [], next_cursor: null } };
  core.board.mockClear();
  core.watch.mockClear();
  core.unwatch.mockClear();
  core.get.mockClear();
  core.call.mockReset();
  core.call.mockResolvedValue({});
}

/** Let time pass on the page. */
export function pass(ms: number): void {
  world.now.value += ms;
}

export function publish(changed: Record<string, unknown> = {}): void {
  world.live.board = { status: "live", latest: boardOf(rawBoard(changed)), through: world.live.board?.through ?? null };
}

/** Let a board come by totals and tiles. */
export function publishParts(totals: Record<string, unknown>, ...agents: Record<string, unknown>[]): void {
  const clock = new ManualClock();
  const parts = new BoardParts(clock, (latest) => (world.live.board = { status: "live", latest, through: null }));
  parts.begin(totals);
  for (const agent of agents) parts.change(String(agent["agent_id"]), agent);
  clock.advance(TOGETHER_MS);
}

/** Let it be said that everything up to then is counted. */
export function mark(through: number): void {
  if (world.live.board !== null) world.live.board = { ...world.live.board, through };
}

export interface Shown {
  page: VueWrapper;
  router: Router;
  /** The words of a figure's tile. */
  tile(label: string): string;
  /** The names in the table, from the top. */
  names(): string[];
}

export async function show(path = "/board"): Promise<Shown> {
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: "/board", name: "board", component: { components: { BoardPage }, template: "<BoardPage><template #talk=\"{ conversation }\"><p class=\"talk\">{{ conversation }}</p></template></BoardPage>" } }] });
  await router.push(path);
  const page = mount({ template: "<RouterView />" }, { global: { plugins: [i18n, router] }, attachTo: document.body });
  await flushPromises();
  return {
    page,
    router,
    tile: (label) => {
      const found = page.findAll(".tile").find((one) => one.get(".label").text() === label);
      return found === undefined ? "" : [".value", ".about"].map((part) => found.get(part).text()).join(" ");
    },
    names: () => page.findAll("[role=rowheader]").map((one) => one.text()),
  };
}
