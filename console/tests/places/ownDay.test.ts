import { flushPromises, mount, type VueWrapper } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick, shallowReactive } from "vue";

import { EMPTY, type State } from "@/core/types.ts";
import { i18n, speak } from "@/locales/i18n.ts";
import DeskFigures from "@/places/DeskFigures.vue";
import { useOwnDay } from "@/places/useOwnDay.ts";

const core = { get: vi.fn<(path: string) => Promise<unknown>>() };
let live: State;
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live }) }));

const day = (changed: Record<string, unknown> = {}) => ({
  profile: "taobao_2022",
  figures: [
    { profile: "jd_2021", rounds: 1, round_ms: 1_000, first_responses: 1, first_response_ms: 1_000 },
    { profile: "taobao_2022", rounds: 4, round_ms: 105_000, first_responses: 2, first_response_ms: 61_000, ...changed },
  ],
});

let page: VueWrapper;
const bar = () => document.querySelector("#bar-figures")?.textContent?.replace(/\s+/g, " ") ?? "";

async function show(): Promise<void> {
  const parts = { components: { DeskFigures }, setup: () => ({ own: useOwnDay() }), template: '<DeskFigures :served="3" :waiting="2" :capacity="8" :own="own" />' };
  page = mount(parts, { global: { plugins: [i18n] } });
  await flushPromises();
  await nextTick();
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  document.body.replaceChildren(Object.assign(document.createElement("div"), { id: "bar-figures" }));
  live = shallowReactive({ ...EMPTY, connection: "connected" });
  core.get.mockReset();
  core.get.mockResolvedValue(day());
  await speak("zh-CN");
  return () => {
    page.unmount();
    vi.useRealTimers();
  };
});

describe("one's own averages", () => {
  it("stand in the bar, by the profile that screens go by", async () => {
    await show();

    expect(core.get).toHaveBeenCalledWith("/v1/monitor/me");
    expect(bar()).toContain("等待 2");
    expect(bar()).toContain("平均首次响应 30.5 秒");
    expect(bar()).toContain("平均响应 26.3 秒");
  });

  it("are a dash where nothing counts yet, and never 0", async () => {
    core.get.mockResolvedValue(day({ rounds: 0, round_ms: 0, first_responses: 0, first_response_ms: 0 }));
    await show();

    expect(bar()).toContain("平均首次响应 –");
    expect(bar()).toContain("平均响应 –");
  });

  it("are asked for about twice a minute, and no more once the desk is gone", async () => {
    await show();
    core.get.mockResolvedValue(day({ round_ms: 40_000 }));
    await vi.advanceTimersByTimeAsync(35_000);
    expect(core.get).toHaveBeenCalledTimes(2);
    expect(bar()).toContain("平均响应 10 秒");

    page.unmount();
    await vi.advanceTimersByTimeAsync(120_000);

    expect(core.get).toHaveBeenCalledTimes(2);
  });

  it("are not shown as long as nobody tells them, and come again by themselves", async () => {
    await show();
    core.get.mockRejectedValue(new Error("away"));
    await vi.advanceTimersByTimeAsync(35_000);
    expect(bar()).not.toContain("平均响应");
    expect(bar()).toContain("接待 3 / 8");

    core.get.mockResolvedValue(day());
    await vi.advanceTimersByTimeAsync(35_000);

    expect(bar()).toContain("平均响应 26.3 秒");
  });
});
