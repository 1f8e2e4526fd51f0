import { enableAutoUnmount, flushPromises } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { held } from "@/features/settings/leaving.ts";
import type { Member } from "@/features/settings/staff.ts";
import StaffPage from "@/features/settings/StaffPage.vue";
import { speak } from "@/locales/i18n.ts";

import { core, refusal, section, shown } from "./page.ts";

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: shown.live }) }));
enableAutoUnmount(afterEach);

const GROUPS = [{ id: "g1", code: "pre_sale", name: "售前" }, { id: "g2", code: "after_sale", name: "售后" }];
const CHEN: Member = { id: "a1", login: "chen", name: "陈晓雨", role: "agent", active: true, capacity: 8, skill_groups: ["pre_sale"], state: "online", version: 3 };
const LI: Member = { ...CHEN, id: "a2", login: "li", name: "李思远", active: false };
const BOSS: Member = { ...CHEN, id: "me", login: "boss", name: "王店长", role: "admin", skill_groups: [] };

let staff: Member[];

beforeEach(async () => {
  staff = [LI, CHEN, BOSS];
  core.call.mockReset();
  core.get.mockReset().mockImplementation(async (path: string) => (path.startsWith("/v1/staff") ? { items: staff, next_cursor: null } : { items: GROUPS }));
  await speak("zh-CN");
});

const rows = (page: Awaited<ReturnType<typeof section>>) => page.wrapper.findAll("tbody tr").map((one) => one.findAll("td").map((cell) => cell.text()));

describe("the staff of a shop", () => {
  it("is listed with roles and groups, who left last", async () => {
    const page = await section(StaffPage, "admin", { id: "" });

    expect(rows(page)).toEqual([["陈晓雨chen", "客服", "售前", "8"], ["王店长boss", "管理员", "–", "8"], ["李思远li已离职", "客服", "售前", "8"]]);
    await page.field("找姓名").setValue("LI");
    expect(rows(page).map(([name]) => name)).toEqual(["李思远li已离职"]);
  });

  it("is read page by page", async () => {
    core.get.mockImplementation(async (path: string) => {
      if (!path.startsWith("/v1/staff")) return { items: [] };
      return path.includes("cursor=c%2F1") ? { items: [LI], next_cursor: null } : { items: [CHEN], next_cursor: "c/1" };
    });
    const page = await section(StaffPage, "supervisor", { id: "" });

    expect(rows(page).map(([name]) => name)).toEqual(["陈晓雨chen", "李思远li已离职"]);
  });

  it("is read by supervisors, and written by administrators alone", async () => {
    const page = await section(StaffPage, "supervisor", { id: "a1" });

    expect(page.button("添加员工")).toBeUndefined();
    expect(page.button("离职")).toBeUndefined();
    expect(page.wrapper.get("form fieldset").attributes("disabled")).toBeDefined();
    expect(page.isShown("员工由管理员添加和修改")).toBe(true);
  });

  it("tells what differs alone, against the version that was read", async () => {
    const page = await section(StaffPage, "admin", { id: "a1" });
    core.call.mockResolvedValue({ ...CHEN, capacity: 5, version: 4 });
    expect(page.button("保存")).toBeUndefined();

    await page.field("同时最多").setValue("5");
    expect(held.size).toBe(1);
    await page.submit();

    expect(core.call).toHaveBeenCalledExactlyOnceWith("PATCH", "/v1/staff/a1", { capacity: 5 }, { version: 3 });
    expect(rows(page)[0]).toEqual(["陈晓雨chen", "客服", "售前", "5"]);
    expect([page.button("保存"), held.size]).toEqual([undefined, 0]);
  });

  it("gains somebody, whose wrong fields are named before and after a service is asked", async () => {
    const page = await section(StaffPage, "admin", { id: "new" });
    await page.field("登录账号").setValue("zh");
    await page.submit();
    expect(page.errors()).toEqual(["3–120 个字符", "1–80 个字符", "8–256 个字符"]);
    expect(core.call).not.toHaveBeenCalled();

    await page.field("登录账号").setValue("zhou");
    await page.field("姓名").setValue("周文博");
    await page.field("初始密码").setValue("a long password");
    core.call.mockRejectedValueOnce(refusal("invalid", [{ pointer: "#/capacity", detail: "less" }]));
    await page.submit();
    expect(page.errors()).toEqual(["0–200 的整数"]);
    expect(page.field("同时最多").attributes("aria-invalid")).toBe("true");
    core.call.mockRejectedValueOnce(refusal("login_taken"));
    await page.submit();
    expect([page.errors(), page.alerts()]).toEqual([["这个登录账号已经有人用了"], []]);

    core.call.mockResolvedValue({ ...CHEN, id: "a9", login: "zhou", name: "周文博" });
    await page.submit();
    const body = { login: "zhou", password: "a long password", name: "周文博", role: "agent", capacity: 8, skill_groups: [] };
    expect(core.call).toHaveBeenLastCalledWith("POST", "/v1/staff", body);
    expect(page.router.currentRoute.value.path).toBe("/settings/staff/a9");
  });

  it("shows both where somebody else was faster, and keeps one's own when told to", async () => {
    const page = await section(StaffPage, "admin", { id: "a1" });
    await page.field("同时最多").setValue("5");
    core.call.mockRejectedValueOnce(refusal("stale"));
    staff = [{ ...CHEN, capacity: 12, version: 4 }];
    await page.submit();

    const cells = page.wrapper.findAll(".conflict tbody tr").map((one) => one.findAll("th,td").map((cell) => cell.text()));
    expect(cells).toEqual([["接待上限", "12", "5"]]);
    expect((page.field("同时最多").element as HTMLInputElement).value).toBe("5");
    core.call.mockResolvedValueOnce({ ...CHEN, capacity: 5, version: 5 });
    await page.press("用我写的覆盖");
    expect(core.call).toHaveBeenLastCalledWith("PATCH", "/v1/staff/a1", { capacity: 5 }, { version: 4 });
    expect(page.wrapper.find(".conflict").exists()).toBe(false);
  });

  it("takes what somebody else kept when told to", async () => {
    const page = await section(StaffPage, "admin", { id: "a1" });
    await page.field("同时最多").setValue("5");
    core.call.mockRejectedValueOnce(refusal("stale"));
    staff = [{ ...CHEN, capacity: 12, version: 4 }];
    await page.submit();

    await page.press("用现在保存的");

    expect((page.field("同时最多").element as HTMLInputElement).value).toBe("12");
    expect([page.button("保存"), core.call.mock.calls.length]).toEqual([undefined, 1]);
  });

  it("loses somebody after one question", async () => {
    const page = await section(StaffPage, "admin", { id: "a1" });
    await page.press("离职");
    expect(page.isShown("让“陈晓雨”离职？")).toBe(true);
    expect(core.call).not.toHaveBeenCalled();

    core.call.mockResolvedValue({ ...CHEN, active: false, version: 4 });
    const sure = [...document.querySelectorAll<HTMLButtonElement>("[role=dialog] button")].find((one) => one.textContent === "离职");
    sure?.click();
    await flushPromises();

    expect(core.call).toHaveBeenCalledExactlyOnceWith("PATCH", "/v1/staff/a1", { active: false }, { version: 3 });
    expect(page.button("恢复在职")).toBeDefined();
  });

  it("has nobody who dismisses himself or changes his own role", async () => {
    const page = await section(StaffPage, "admin", { id: "me" });

    expect(page.button("离职")).toBeUndefined();
    expect(page.isShown("自己的角色由别的管理员改")).toBe(true);
    expect(page.wrapper.find("form select").exists()).toBe(false);
  });

  it("keeps what was written while the connection is away", async () => {
    const page = await section(StaffPage, "admin", { id: "a1" });
    await page.field("姓名").setValue("陈雨");

    Object.assign(shown.live, { connection: "lost" });
    await flushPromises();

    expect(page.wrapper.get("form fieldset").attributes("disabled")).toBeDefined();
    expect(page.button("保存")?.attributes("disabled")).toBeDefined();
    expect((page.field("姓名").element as HTMLInputElement).value).toBe("陈雨");
    expect(page.isShown("您写的会保留")).toBe(true);
  });

  it("says when it cannot be read", async () => {
    core.get.mockRejectedValueOnce(refusal("unreachable"));
    const page = await section(StaffPage, "admin", { id: "" });
    expect(page.isShown("暂时取不到")).toBe(true);

    await page.press("重试");

    expect(rows(page)).toHaveLength(3);
  });
});
