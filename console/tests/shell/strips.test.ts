import { mount } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";

import { EMPTY, type State } from "@/core/types.ts";
import { i18n } from "@/locales/i18n.ts";
import Strips from "@/shell/Strips.vue";

const core = { resume: vi.fn<() => Promise<void>>() };
let live: State;
vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live }) }));

const shown = (changed: Partial<State>) => {
  live = shallowReactive({ ...EMPTY, session: "in" as const, connection: "connected" as const, ...changed });
  return mount(Strips, { global: { plugins: [i18n] } });
};

describe("the strips", () => {
  beforeEach(() => core.resume.mockReset().mockResolvedValue());

  it("say nothing while all is well", () => {
    expect(shown({}).text()).toBe("");
  });

  it("say what it means that the browser keeps nothing", () => {
    expect(shown({ remembers: false }).get("[role=status]").text()).toContain("刷新或关闭后就没有了");
  });

  it.each([
    ["elsewhere", "已在另一窗口打开", "在这里继续"],
    ["tooMany", "打开的窗口太多", "重试"],
  ] as const)("say why nothing comes any more, and go on here when one asks for it: %s", async (stopped, words, button) => {
    const strips = shown({ connection: "stopped", stopped });
    expect(strips.get("[role=status]").text()).toContain(words);
    expect(strips.get("button").text()).toBe(button);

    await strips.get("button").trigger("click");
    expect(core.resume).toHaveBeenCalledOnce();
  });

  it.each([{ stale: true }, { connection: "stopped", stopped: "version" }, { connection: "stopped", stopped: "protocol" }] as const)("offer a reload for a newer version, never by force: %o", (changed) => {
    const strips = shown(changed);
    expect(strips.findAll("[role=status]")).toHaveLength(1);
    expect(strips.get("[role=status]").text()).toContain("有新版本");
    expect(strips.get("button").text()).toBe("刷新");
  });

  it("say that the connection is lost and that what one writes is kept", () => {
    expect(shown({ connection: "lost" }).text()).toContain("您写的会保留");
  });
});
