import { enableAutoUnmount, mount } from "@vue/test-utils";
import { afterEach, describe, expect, it } from "vitest";

import type { Refusal } from "@/core/types.ts";
import Composer from "@/features/composer/Composer.vue";
import { i18n } from "@/locales/i18n.ts";

enableAutoUnmount(afterEach);

interface Given {
  draft?: string;
  refusal?: Refusal | null;
  maySend?: boolean;
}

function shown({ draft = "", refusal = null, maySend = true }: Given = {}) {
  const composer = mount(Composer, { props: { draft, refusal, maySend }, global: { plugins: [i18n] }, attachTo: document.body });
  const area = composer.get("textarea");
  const send = composer.findAll("button").find((button) => button.text() === "发送");
  if (send === undefined) throw new Error("There is no button that sends.");
  return { composer, area, send };
}

describe("the composer", () => {
  it("sends by Enter and by its button, once each, and is empty behind", async () => {
    const { composer, area, send } = shown();

    await area.setValue("在的");
    await area.trigger("keydown", { key: "Enter" });
    await area.trigger("keydown", { key: "Enter" });
    await area.setValue("您说");
    await send.trigger("click");
    await send.trigger("click");

    expect(composer.emitted("send")).toEqual([["在的"], ["您说"]]);
    expect(area.element.value).toBe("");
    expect(document.activeElement).toBe(area.element);
  });

  it("breaks the line by Shift and Enter, and leaves Enter to an input method", async () => {
    const { composer, area } = shown();

    await area.setValue("zai de");
    await area.trigger("keydown", { key: "Enter", shiftKey: true });
    await area.trigger("compositionstart");
    await area.trigger("keydown", { key: "Enter" });

    expect(composer.emitted("send")).toBeUndefined();
    expect(area.element.value).toBe("zai de");
  });

  it("lets nothing leave from a seat that was lost, and keeps the words", async () => {
    const { composer, area, send } = shown({ draft: "写了一半", maySend: false });

    await area.trigger("keydown", { key: "Enter" });

    expect(composer.emitted("send")).toBeUndefined();
    expect(send.attributes("disabled")).toBeDefined();
    expect(area.element.value).toBe("写了一半");
    expect(composer.get("[role=status]").text()).toContain("不再由您接待");

    await composer.setProps({ maySend: true });
    expect(composer.find("[role=status]").exists()).toBe(false);
    await area.trigger("keydown", { key: "Enter" });
    expect(composer.emitted("send")).toEqual([["写了一半"]]);
  });
});
