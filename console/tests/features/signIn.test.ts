import { flushPromises, mount } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";

import { EMPTY, type State } from "@/core/types.ts";
import SignInPage from "@/features/session/SignInPage.vue";
import { i18n, speak } from "@/locales/i18n.ts";

const core = { signIn: vi.fn<(login: string, password: string) => Promise<void>>() };
let live: State = shallowReactive({ ...EMPTY });
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live }) }));

function shown() {
  const page = mount(SignInPage, { global: { plugins: [i18n] }, attachTo: document.body });
  const [login, password] = page.findAll("input");
  if (login === undefined || password === undefined) throw new Error("Two fields are wanted.");
  return { page, login, password, button: page.get("button[type=submit]") };
}

async function tryToSignIn(screen: ReturnType<typeof shown>): Promise<void> {
  await screen.login.setValue(" agent1@demo ");
  await screen.password.setValue("secret word");
  await screen.page.get("form").trigger("submit");
  await flushPromises();
}

describe("the sign-in", () => {
  beforeEach(async () => {
    document.body.replaceChildren();
    live = shallowReactive({ ...EMPTY, session: "out" });
    core.signIn.mockReset().mockResolvedValue();
    await speak("zh-CN");
  });

  it("hands over the login without blanks and the password as it is", async () => {
    await tryToSignIn(shown());
    expect(core.signIn).toHaveBeenCalledExactlyOnceWith("agent1@demo", "secret word");
  });

  it("takes no second press while it is on its way", async () => {
    core.signIn.mockReturnValue(new Promise(() => {}));
    const screen = shown();
    await tryToSignIn(screen);
    await screen.page.get("form").trigger("submit");
    expect(core.signIn).toHaveBeenCalledOnce();
    expect(screen.button.attributes("aria-disabled")).toBe("true");
  });

  it.each([
    ["wrong_login", "账号或密码不对"],
    ["invalid", "账号或密码不对"],
    ["too_many", "尝试太频繁，请过一会儿再试"],
    ["unavailable", "暂时连不上服务器，请稍后再试"],
    ["something_new", "登录没有成功，请稍后再试"],
  ])("says in words why %s was no sign-in, and lets the password be typed anew", async (code, words) => {
    core.signIn.mockRejectedValue({ code, title: "" });
    const screen = shown();
    await tryToSignIn(screen);
    expect(screen.page.get("[role=alert]").text()).toBe(words);
    expect(document.activeElement).toBe(screen.password.element);
    expect(screen.button.attributes("disabled")).toBeUndefined();
    expect(screen.button.attributes("aria-disabled")).toBeUndefined();
  });

  it("goes to the field that is still empty, and asks nobody", async () => {
    const screen = shown();
    await screen.page.get("form").trigger("submit");
    expect(document.activeElement).toBe(screen.login.element);
    await screen.login.setValue("agent1@demo");
    await screen.page.get("form").trigger("submit");
    expect(document.activeElement).toBe(screen.password.element);
    expect(core.signIn).not.toHaveBeenCalled();
  });

  it("changes its language and keeps what is typed", async () => {
    const screen = shown();
    await screen.login.setValue("agent1@demo");
    await screen.page.get("button[lang=en]").trigger("click");
    await vi.waitFor(() => expect(screen.button.text()).toBe("Sign in"));
    expect(screen.login.element.value).toBe("agent1@demo");
    expect(document.documentElement.lang).toBe("en");
  });

  it("says what went wrong in the language that is chosen afterwards", async () => {
    core.signIn.mockRejectedValue({ code: "wrong_login", title: "" });
    const screen = shown();
    await tryToSignIn(screen);
    await screen.page.get("button[lang=en]").trigger("click");
    await vi.waitFor(() => expect(screen.page.get("[role=alert]").text()).toBe("Wrong login or password"));
  });

  it("shows the password to who asks", async () => {
    const screen = shown();
    await screen.page.get("[aria-label=显示密码]").trigger("click");
    expect(screen.password.attributes("type")).toBe("text");
  });

  it("says while the platform has not heard of a sign-out that one is signed out here alone", async () => {
    live = shallowReactive({ ...EMPTY, session: "out", isLeaving: true });
    const { page } = shown();
    expect(page.get("[role=status]").text()).toContain("已在这里退出");

    live.isLeaving = false;
    await flushPromises();
    expect(page.find("[role=status]").exists()).toBe(false);
  });

  it("says after an ended session that what was not sent is still there", () => {
    live = shallowReactive({ ...EMPTY, session: "out", ended: 4503 });
    expect(shown().page.text()).toContain("没发出的内容还在");
  });
});
