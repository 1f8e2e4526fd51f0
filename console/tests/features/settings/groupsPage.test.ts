import { enableAutoUnmount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import GroupsPage from "@/features/settings/GroupsPage.vue";
import { speak } from "@/locales/i18n.ts";

import { core, refusal, section, shown } from "./page.ts";

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: shown.live }) }));
enableAutoUnmount(afterEach);

const STAFF = [
  { id: "a1", name: "陈晓雨", active: true, skill_groups: ["pre_sale"] },
  { id: "a2", name: "李思远", active: false, skill_groups: ["pre_sale"] },
];
let groups: { id: string; code: string; name: string }[];

beforeEach(async () => {
  groups = [{ id: "g1", code: "pre_sale", name: "售前" }];
  core.call.mockReset();
  core.get.mockReset().mockImplementation(async (path: string) => ({ items: path.startsWith("/v1/staff") ? STAFF : groups }));
  await speak("zh-CN");
});

describe("the groups of a shop", () => {
  it("name who is in them", async () => {
    const page = await section(GroupsPage, "supervisor", { id: "new" });

    expect(page.wrapper.findAll("tbody td").map((one) => one.text())).toEqual(["售前", "pre_sale", "1 人 陈晓雨"]);
    expect([page.button("添加"), page.wrapper.find("form").exists()]).toEqual([undefined, false]);
  });

  it("gain one of a code that services take", async () => {
    const page = await section(GroupsPage, "admin", { id: "new" });
    await page.field("名称").setValue("大客户");
    await page.field("代码").setValue("VIP 1");
    await page.submit();
    expect(page.errors()).toEqual(["2–32 个小写字母、数字或下划线，以字母开头"]);

    await page.field("代码").setValue("vip");
    core.call.mockRejectedValueOnce(refusal("group_exists"));
    await page.submit();
    expect(page.errors()).toEqual(["已经有这个代码的技能组"]);

    core.call.mockImplementationOnce(async () => groups.push({ id: "g2", code: "vip", name: "大客户" }));
    await page.submit();
    expect(core.call).toHaveBeenLastCalledWith("POST", "/v1/skill-groups", { name: "大客户", code: "vip" });
    expect(page.wrapper.findAll("tbody tr")).toHaveLength(2);
  });
});
