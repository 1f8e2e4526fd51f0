import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Refusal } from "@/core/rest.ts";
import type { Conversation, Standing } from "@/core/types.ts";
import Taking from "@/features/thread/Taking.vue";
import { i18n, speak } from "@/locales/i18n.ts";
import { toasts } from "@/ui/toasts.ts";

enableAutoUnmount(afterEach);

function shown(stands: Partial<Standing>, leads: boolean, take = vi.fn().mockResolvedValue(undefined)) {
  const standing = { version: 7, owner: null, isClosed: false, isTaken: false, ...stands };
  const conversation = { id: "a", items: [], standing } as unknown as Conversation;
  const taking = mount(Taking, { props: { conversation, me: "me", leads, take }, global: { plugins: [i18n] }, attachTo: document.body });
  return { taking, take };
}

describe("taking a conversation", () => {
  beforeEach(async () => {
    document.body.replaceChildren();
    toasts.value = [];
    await speak("zh-CN");
  });

  it("takes whoever waits at once, as it was seen", async () => {
    const { taking, take } = shown({}, false);

    await taking.get("button").trigger("click");

    expect(take).toHaveBeenCalledWith(7, "");
  });

  it("says why it was not taken", async () => {
    const refused = vi.fn().mockRejectedValue(new Refusal("stale", "changed", 412));
    const { taking } = shown({}, false, refused);

    await taking.get("button").trigger("click");
    await flushPromises();

    expect(toasts.value.map((one) => one.text)).toEqual(["没有接过来：会话刚刚有变化，请再看一眼"]);
  });

  it("takes a colleague's as a leader alone, and not without a note", async () => {
    expect(shown({ owner: "b" }, false).taking.find("button").exists()).toBe(false);
    const { taking, take } = shown({ owner: "b" }, true);
    await taking.get("button").trigger("click");
    await flushPromises();
    const dialog = document.querySelector("[role=dialog]") as HTMLElement;
    const [, accept] = [...dialog.querySelectorAll<HTMLButtonElement>("footer button")];
    expect(accept?.disabled).toBe(true);

    const area = dialog.querySelector("textarea") as HTMLTextAreaElement;
    area.value = "我来跟";
    area.dispatchEvent(new Event("input"));
    await flushPromises();
    accept?.click();
    await flushPromises();

    expect(take).toHaveBeenCalledWith(7, "我来跟");
    expect(document.querySelector("[role=dialog]")).toBeNull();
  });

  it("offers nothing of what is one's own, or over", () => {
    expect(shown({ owner: "me" }, true).taking.find("button").exists()).toBe(false);
    expect(shown({ isClosed: true }, true).taking.find("button").exists()).toBe(false);
  });
});
