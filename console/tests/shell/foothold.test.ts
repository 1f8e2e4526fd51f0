import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, expect, it } from "vitest";
import { defineComponent, ref, useTemplateRef } from "vue";

import { useFoothold } from "@/shell/useFoothold.ts";

enableAutoUnmount(afterEach);

/** A list and a pane: in the pane a button that turns into another one, a way to write, and a button that is switched off. */
function frame() {
  const part = ref<"show" | "hide" | "write" | "none">("show");
  const isOff = ref(false);
  const place = ref<"desk" | "search">("desk");
  const Frame = defineComponent({
    setup() {
      const box = useTemplateRef<HTMLElement>("box");
      useFoothold(() => box.value);
      return { part, isOff, place };
    },
    template: `
      <div ref="box">
        <nav><a href="/desk">desk</a></nav>
        <div v-if="place === 'desk'">
          <div role="listbox" tabindex="0" />
          <section class="pane">
            <button class="first">first</button>
            <p><button v-if="part === 'show'" class="show">show</button><button v-else-if="part === 'hide'" class="hide">hide</button><textarea v-else-if="part === 'write'" /></p>
            <button class="last" :disabled="isOff">last</button>
          </section>
        </div>
        <section v-else><button class="found">found</button></section>
      </div>`,
  });
  const shown = mount(Frame, { attachTo: document.body });
  const on = async (what: string) => {
    shown.get<HTMLElement>(what).element.focus();
    await flushPromises();
  };
  const stands = () => document.activeElement?.className || document.activeElement?.tagName.toLowerCase() || "";
  return { part, isOff, place, on, stands };
}

it("the focus goes on to what stands where a button was", async () => {
  const { part, on, stands } = frame();
  await on(".show");

  part.value = "hide";
  await flushPromises();

  expect(stands()).toBe("hide");
});

it("the pane takes it where nothing stands there, and where a button is switched off", async () => {
  const { part, isOff, on, stands } = frame();
  await on(".show");
  part.value = "none";
  await flushPromises();
  expect(stands()).toBe("pane");

  await on(".last");
  isOff.value = true;
  await flushPromises();
  expect(stands()).toBe("pane");
});

it("who was writing is left on nothing that his next keys would press", async () => {
  const { part, on, stands } = frame();
  part.value = "write";
  await flushPromises();
  await on("textarea");

  part.value = "hide";
  await flushPromises();

  expect(stands()).toBe("pane");
});

it("begins in the place that one has come to", async () => {
  const { place, on, stands } = frame();
  place.value = "search";
  await flushPromises();
  await on(".found");

  place.value = "desk";
  await flushPromises();

  expect(document.activeElement?.getAttribute("role")).toBe("listbox");
  expect(stands()).not.toBe("body");
});

it("leaves it alone where somebody left it himself", async () => {
  const { part, on, stands } = frame();
  await on(".show");
  (document.activeElement as HTMLElement).blur();

  part.value = "hide";
  await flushPromises();

  expect(stands()).toBe("body");
});
