import { enableAutoUnmount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import AccountPage from "@/features/settings/AccountPage.vue";
import { clientName } from "@/features/settings/clients.ts";
import { sectionsOf } from "@/features/settings/sections.ts";
import { speak } from "@/locales/i18n.ts";
import { chooseTheme, theme } from "@/preferences.ts";

import { core, refusal, section, shown } from "./page.ts";

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: shown.live }) }));
enableAutoUnmount(afterEach);

const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";
const PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1";
const HERE = { sid: "f1", opened_at: "2026-03-01T01:00:00Z", used_at: "2026-03-01T02:00:00Z", client: CHROME, current: true };
const THERE = { ...HERE, sid: "f2", client: PHONE, current: false };

let sessions: (typeof HERE)[];

beforeEach(async () => {
  sessions = [HERE, THERE];
  const answers: Record<string, () => unknown> = {
    "/v1/me": () => ({ name: "陈晓雨", login: "chen", role: "agent", groups: ["pre_sale"], capacity: 8 }),
    "/v1/skill-groups": () => ({ items: [{ id: "g1", code: "pre_sale", name: "售前" }] }),
    "/v1/sessions": () => ({ items: sessions }),
  };
  core.call.mockReset();
  core.get.mockReset().mockImplementation(async (path: string) => answers[path]?.());
  chooseTheme("system");
  await speak("zh-CN");
});

describe("one's own account", () => {
  it("says who one is here, and where one is signed in", async () => {
    const page = await section(AccountPage, "agent");

    expect(page.wrapper.findAll("dd").map((one) => one.text())).toEqual(["陈晓雨", "chen", "客服", "售前", "8"]);
    expect(page.wrapper.findAll("li .client").map((one) => one.text())).toEqual(["Chrome · Windows", "Safari · iPhone"]);
    expect(page.wrapper.findAll("li button")).toHaveLength(1);
  });

  it("ends a session elsewhere", async () => {
    const page = await section(AccountPage, "clerk");
    core.call.mockImplementationOnce(async () => (sessions = [HERE]));

    await page.press("结束");

    expect(core.call).toHaveBeenCalledExactlyOnceWith("DELETE", "/v1/sessions/f2");
    expect(page.wrapper.findAll("li .client").map((one) => one.text())).toEqual(["Chrome · Windows"]);
  });

  it("takes another password, written twice, for the present one", async () => {
    const page = await section(AccountPage, "agent");
    await page.field("现在的密码").setValue("wrong one");
    await page.field("新密码").setValue("short");
    await page.submit();
    expect(page.errors()).toEqual(["8–256 个字符", "两次写的不一样"]);

    await page.field("新密码").setValue("a long password");
    await page.field("再写一遍").setValue("a long password");
    core.call.mockRejectedValueOnce(refusal("wrong_password"));
    await page.submit();
    expect(page.errors()).toEqual(["现在的密码不对"]);

    core.call.mockResolvedValueOnce({ done: true });
    await page.submit();
    expect(core.call).toHaveBeenLastCalledWith("PUT", "/v1/me/password", { current: "wrong one", new: "a long password" });
    expect((page.field("新密码").element as HTMLInputElement).value).toBe("");
  });

  it("changes the theme at once", async () => {
    const page = await section(AccountPage, "agent");

    await page.field("主题").setValue("dark");

    expect(theme.value).toBe("dark");
  });
});

it("calls a program by its name where it is no browser", () => {
  expect([clientName("peakdesk-player/1"), clientName("")]).toEqual(["peakdesk-player/1", ""]);
});

it.each([
  ["clerk", ["account"]],
  ["agent", ["phrases", "account"]],
  ["supervisor", ["staff", "groups", "phrases", "wording", "profiles", "channels", "shop", "account"]],
  ["admin", ["staff", "groups", "phrases", "wording", "profiles", "channels", "shop", "account"]],
])("a %s has %j", (role, names) => {
  expect(sectionsOf(role).map((one) => one.name)).toEqual(names);
});
