import { enableAutoUnmount, flushPromises } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import ChannelsPage from "@/features/settings/ChannelsPage.vue";
import { bodyOf, NO_CHANNEL } from "@/features/settings/channels.ts";
import { speak } from "@/locales/i18n.ts";

import { core, refusal, section, shown } from "./page.ts";

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: shown.live }) }));
enableAutoUnmount(afterEach);

const DUTY = {
  id: "c1",
  name: "值班群",
  kind: "dingtalk",
  address: "https://oapi.dingtalk.com/…1a2b",
  has_secret: true,
  levels: ["warn", "critical"],
  language: "zh",
  mentions: { people: ["13800000000"], everybody: false },
  names: false,
  state: "on",
  why: null,
  rests_until: null,
  version: 3,
  secret: null,
};
const TEST = { id: "d1", step: "test", level: "info", title: { zh: "PeakDesk 通道测试" }, count: 1, state: "pending", attempts: 0, code: null, at: "2026-11-11T04:00:00Z", next_at: null };

let channels: object[];
let deliveries: object[];

beforeEach(async () => {
  channels = [DUTY];
  deliveries = [];
  core.call.mockReset();
  core.get.mockReset().mockImplementation(async (path: string) => ({ items: path.includes("/deliveries") ? deliveries : channels }));
  await speak("zh-CN");
});
afterEach(() => vi.useRealTimers());

describe("where leaders are told outside the console", () => {
  it("is shown with its state, and to supervisors without a way to change it", async () => {
    channels = [DUTY, { ...DUTY, id: "c2", name: "旧群", state: "broken", why: "93000" }];
    const page = await section(ChannelsPage, "supervisor", { id: "c1" });

    expect(page.wrapper.findAll("tbody tr").map((row) => row.findAll("td").map((one) => one.text()))).toEqual([
      ["值班群", "钉钉机器人", "注意 严重", "使用中"],
      ["旧群", "钉钉机器人", "注意 严重", "已失效 93000"],
    ]);
    expect(["添加通道", "发送测试", "停用", "删除"].map(page.button)).toEqual([undefined, undefined, undefined, undefined]);
    expect(page.isShown("由管理员添加和修改")).toBe(true);
  });

  it("gains a webhook whose secret is shown once", async () => {
    const page = await section(ChannelsPage, "admin", { id: "new" });
    await page.submit();
    expect(page.errors()).toEqual(["请写一个名称", "请贴上地址"]);

    await page.field("名称").setValue("自己的");
    await page.field("种类").setValue("webhook");
    await page.field("机器人的地址").setValue("http://10.0.0.1/");
    core.call.mockRejectedValueOnce(refusal("invalid", [{ pointer: "#/url", detail: "not_https" }]));
    await page.submit();
    expect(page.errors()).toEqual(["地址要以 https:// 开头"]);

    await page.field("机器人的地址").setValue("https://hooks.shop.example/");
    core.call.mockResolvedValueOnce({ ...DUTY, id: "c9", kind: "webhook", secret: "whsec_abc" });
    await page.submit();
    expect(core.call).toHaveBeenLastCalledWith("POST", "/v1/monitor/channels", {
      name: "自己的",
      kind: "webhook",
      url: "https://hooks.shop.example/",
      levels: ["warn", "critical"],
      language: "zh",
      names: false,
      mentions: { people: [], everybody: false },
    });
    expect(page.isShown("whsec_abc")).toBe(true);
  });

  it("is changed on the version that was read, without its secret", async () => {
    const page = await section(ChannelsPage, "admin", { id: "c1" });
    await page.field("名称").setValue("夜班群");
    core.call.mockResolvedValueOnce({ ...DUTY, name: "夜班群", version: 4 });
    await page.submit();

    const [method, path, body, how] = core.call.mock.lastCall ?? [];
    expect([method, path, how]).toEqual(["PATCH", "/v1/monitor/channels/c1", { version: 3 }]);
    expect(body).toMatchObject({ name: "夜班群", mentions: { people: ["13800000000"], everybody: false } });
    expect(Object.keys(body)).not.toContain("secret");
  });

  it("is tried, and what became of the test is watched", async () => {
    vi.useFakeTimers();
    const page = await section(ChannelsPage, "admin", { id: "c1" });
    deliveries = [TEST];
    core.call.mockResolvedValueOnce(TEST);
    await page.press("发送测试");
    expect(core.call).toHaveBeenLastCalledWith("POST", "/v1/monitor/channels/c1/test", {});
    expect(page.wrapper.find("li").text()).toContain("等待发送");

    deliveries = [{ ...TEST, state: "failed", code: "310000", attempts: 1 }];
    await vi.advanceTimersByTimeAsync(1_000);
    await flushPromises();
    expect(page.wrapper.find("li").text()).toContain("没有发出310000 · 签名、关键词或 IP 不符");

    const asked = core.get.mock.calls.length;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(core.get.mock.calls.length).toBe(asked);
  });

  it("is removed when that was meant", async () => {
    const page = await section(ChannelsPage, "admin", { id: "c1" });
    await page.press("删除");
    core.call.mockImplementationOnce(async () => (channels = []));
    const meant = [...document.body.querySelectorAll<HTMLButtonElement>("[role=dialog] button")].find((one) => one.textContent === "删除");
    meant?.click();
    await flushPromises();

    expect(core.call).toHaveBeenLastCalledWith("DELETE", "/v1/monitor/channels/c1", undefined, { version: 3 });
    expect(page.wrapper.findAll("tbody tr")).toHaveLength(0);
  });
});

describe("what is sent for a form", () => {
  it("splits names however they are written, and leaves out what is empty", () => {
    expect(bodyOf({ ...NO_CHANNEL, name: " 群 ", people: "a, b，c  d", options: ["everybody"] })).toEqual({
      name: "群",
      levels: ["warn", "critical"],
      language: "zh",
      names: false,
      mentions: { people: ["a", "b", "c", "d"], everybody: true },
    });
  });
});
