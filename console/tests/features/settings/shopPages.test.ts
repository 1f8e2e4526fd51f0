import { enableAutoUnmount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import ProfilesPage from "@/features/settings/ProfilesPage.vue";
import ShopPage from "@/features/settings/ShopPage.vue";
import WordingPage from "@/features/settings/WordingPage.vue";
import { speak } from "@/locales/i18n.ts";

import { core, refusal, section, shown } from "./page.ts";

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: shown.live }) }));
enableAutoUnmount(afterEach);

const INSULT = { code: "insult", zh: "辱骂", en: "Insult", action: "block" };
const COLD = { code: "cold", zh: "冷漠", en: "Coldness", action: "warn" };
const PROFILE = { name: "jd_2021", title: { zh: "京东", en: "JD" }, window: { by: "round_open", start: "08:00", end: "24:00" }, levels: { first: [10, 20, 30], later: [20, 100, 180] } };

let answers: Record<string, unknown>;

beforeEach(async () => {
  answers = {
    "/v1/shops/s1": { id: "s1", name: "小店", time_zone: "Asia/Shanghai", version: 4, policy: { wording_terms: ["竞品"], profiles: ["jd_2021"] } },
    "/v1/shops/s1/widget": { origins: ["https://a.example"], greeting: "您好", version: 4 },
    "/v1/console": { categories: [INSULT, COLD], profiles: [PROFILE, { ...PROFILE, name: "other", title: { zh: "其他", en: "Other" }, levels: null }], levels_profile: "jd_2021" },
  };
  core.call.mockReset();
  core.get.mockReset().mockImplementation(async (path: string) => answers[path]);
  await speak("zh-CN");
});

describe("a shop's chat", () => {
  it("names its sites on lines, and its line for the shop's pages", async () => {
    const page = await section(ShopPage, "supervisor");
    expect(page.wrapper.get("pre").text()).toContain('/widget.js" data-shop="s1"');

    await page.field("可以显示").setValue("https://a.example\n\n https://b.example \nhttps://a.example");
    core.call.mockResolvedValue({ origins: ["https://a.example", "https://b.example"], greeting: "您好", version: 5 });
    await page.submit();

    expect(core.call).toHaveBeenCalledExactlyOnceWith("PUT", "/v1/shops/s1/widget", { origins: ["https://a.example", "https://b.example"], greeting: "您好" }, { version: 4 });
    expect((page.field("可以显示").element as HTMLTextAreaElement).value).toBe("https://a.example\nhttps://b.example");
  });

  it("says which line is no site", async () => {
    const page = await section(ShopPage, "admin");
    await page.field("可以显示").setValue("https://a.example\nshop.example/x");
    core.call.mockRejectedValue(refusal("invalid", [{ pointer: "#/origins/1", detail: "name one site" }]));
    await page.submit();

    expect(page.errors()).toEqual(["“shop.example/x”不是网站地址：写成 https://shop.example，不带路径"]);
  });

  it("is kept at once where only something else of the shop was changed", async () => {
    const page = await section(ShopPage, "admin");
    await page.field("欢迎语").setValue("欢迎");
    answers["/v1/shops/s1/widget"] = { origins: ["https://a.example"], greeting: "您好", version: 9 };
    core.call.mockRejectedValueOnce(refusal("stale")).mockResolvedValueOnce({ origins: ["https://a.example"], greeting: "欢迎", version: 10 });
    await page.submit();

    expect(core.call.mock.calls.map((call) => call[3])).toEqual([{ version: 4 }, { version: 9 }]);
    expect([page.alerts(), page.button("保存")]).toEqual([[], undefined]);
  });

  it("is no conflict with oneself where the answer was lost", async () => {
    const page = await section(ShopPage, "admin");
    await page.field("欢迎语").setValue("欢迎");
    core.call.mockRejectedValueOnce(refusal("unreachable"));
    await page.submit();
    expect(page.alerts()).toHaveLength(1);

    answers["/v1/shops/s1/widget"] = { origins: ["https://a.example"], greeting: "欢迎", version: 5 };
    core.call.mockRejectedValueOnce(refusal("stale"));
    await page.submit();

    expect(page.wrapper.find(".conflict").exists()).toBe(false);
    expect([page.alerts(), page.button("保存")]).toEqual([[], undefined]);
  });
});

describe("what a shop decides about wording", () => {
  it("says what happens now, and keeps phrases, actions and reason as one", async () => {
    const page = await section(WordingPage, "supervisor");
    expect(page.wrapper.findAll("tbody tr").map((one) => one.findAll("th,td").map((cell) => cell.text()))).toEqual([
      ["辱骂", "拦截", "不能发出，买家看不到"],
      ["冷漠", "提醒", "照常发出，并提醒客服"],
    ]);

    await page.field("本店禁用词").setValue("竞品\n別家");
    await page.field("冷漠").setValue("log");
    core.call.mockResolvedValue({ version: 5, policy: { wording_terms: ["竞品", "別家"], wording_actions: { cold: "log" } } });
    await page.submit();

    const policy = { wording_actions: { cold: "log" }, wording_terms: ["竞品", "別家"], allow_spans: [] };
    expect(core.call).toHaveBeenCalledExactlyOnceWith("PUT", "/v1/shops/s1/wording-policy", policy, { version: 4 });
    expect(page.button("保存")).toBeUndefined();
  });

  it("asks for a reason at its field where abuse would pass", async () => {
    const page = await section(WordingPage, "admin");
    await page.field("辱骂").setValue("log");
    core.call.mockRejectedValueOnce(refusal("reason_missing"));
    await page.submit();
    expect(page.errors()).toEqual(["放行辱骂、威胁或歧视要写理由"]);

    await page.field("理由").setValue(" 演练 ");
    core.call.mockResolvedValue({ version: 5, policy: {} });
    await page.submit();
    expect(core.call.mock.lastCall?.[2]).toMatchObject({ reason: "演练", wording_actions: { insult: "log" } });
    expect((page.field("理由").element as HTMLInputElement).value).toBe("");
  });

  it("shows both where another leader was faster", async () => {
    const page = await section(WordingPage, "admin");
    await page.field("本店禁用词").setValue("竞品\n別家");
    answers["/v1/shops/s1"] = { version: 7, policy: { wording_terms: ["竞品", "某店"] } };
    core.call.mockRejectedValueOnce(refusal("stale"));
    await page.submit();

    expect(page.wrapper.findAll(".conflict td").map((one) => one.text())).toEqual(["竞品\n某店", "竞品\n別家"]);
    core.call.mockResolvedValueOnce({ version: 8, policy: { wording_terms: ["竞品", "別家"] } });
    await page.press("用我写的覆盖");
    expect(core.call.mock.lastCall?.[3]).toEqual({ version: 7 });
  });
});

it("shows the profiles in force, with what the lists are coloured by", async () => {
  const page = await section(ProfilesPage, "supervisor");

  const rows = page.wrapper.findAll("tbody tr").map((one) => one.findAll("td").map((cell) => cell.text()));
  expect(rows).toEqual([
    ["京东 列表颜色按它", "08:00–24:00 · 按买家发言时间", "提醒 10 · 过长 20 · 超时 30", "提醒 20 · 过长 100 · 超时 180"],
    ["其他", "08:00–24:00 · 按买家发言时间", "–", "–"],
  ]);
});
