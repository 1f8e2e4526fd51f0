import { mount } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { described } from "@/core/threads.ts";
import Watched from "@/features/board/Watched.vue";
import { i18n } from "@/locales/i18n.ts";

import { core, reset, world } from "./showing.ts";

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: world.live }) }));

const named = (name: string) => described(undefined, { id: "c1", buyer: { id: "b", name } });

beforeEach(reset);

describe("a conversation that is looked at from the board", () => {
  it("is shown as it goes on, also where it just left one's own desk with words unsent", () => {
    world.live.left = { c1: { conversation: named("离开时"), reason: "transferred", toAgent: "a7", toGroup: null, by: "me", at: 0 } };
    const show = () => mount(Watched, { props: { conversation: "c1" }, slots: { default: ({ shown }: { shown: { buyer: string } }) => shown.buyer }, global: { plugins: [i18n] } }).text();
    expect(show()).toContain("离开时");

    world.live.watched = { c1: named("现在") };

    expect(show()).toContain("现在");
  });

  it("is said to be looked at no more when it is closed", () => {
    const shown = mount(Watched, { props: { conversation: "c1" }, global: { plugins: [i18n] } });
    expect(core.unwatch).not.toHaveBeenCalled();

    shown.unmount();

    expect(core.unwatch).toHaveBeenCalledExactlyOnceWith("c1");
  });

  it("does not say that nobody sees who whispers", async () => {
    world.live.watched = { c1: named("王*明") };
    const shown = mount(Watched, { props: { conversation: "c1" }, global: { plugins: [i18n] } });
    expect(shown.text()).toContain("双方看不到您");

    world.live.drafts = { "c1~note": "换个说法" };
    await shown.vm.$nextTick();
    expect(shown.text()).toContain("客服看得到您的悄悄话");

    world.live.drafts = {};
    const item = { id: "n", note: { author: "", to: null }, senderId: world.live.me?.id };
    world.live.watched = { c1: { ...named("王*明"), items: [item as never] } };
    await shown.vm.$nextTick();
    expect(shown.text()).toContain("客服看得到您的悄悄话");
  });
});
