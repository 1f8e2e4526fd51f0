/** A section of settings as somebody of a role has it: what was answered, what was asked. */

import { flushPromises, mount } from "@vue/test-utils";
import { vi } from "vitest";
import { shallowReactive, type Component } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";

import { EMPTY, type Fault, type Me, type State } from "@/core/types.ts";
import { i18n } from "@/locales/i18n.ts";

export const core = { get: vi.fn(), call: vi.fn() };
export const shown: { live: State } = { live: { ...EMPTY } };

/** What a service refuses with. */
export function refusal(code: string, faults?: readonly Fault[]): object {
  return { code, title: code, ...(faults ? { faults } : {}) };
}

export async function section(page: Component, role: string, props: object = {}) {
  shown.live = shallowReactive({ ...EMPTY, session: "in", connection: "connected", me: { id: "me", name: "王店长", role, shopId: "s1" } as Me });
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: "/settings/:section?/:id?", name: "settings", component: page }] });
  await router.push("/settings");
  const wrapper = mount(page, { props, global: { plugins: [i18n, router] }, attachTo: document.body });
  await flushPromises();
  const field = (label: string) => {
    const named = wrapper.findAll("label").find((one) => one.text().startsWith(label));
    return wrapper.get(`[id="${named?.attributes("for") ?? "none"}"]`);
  };
  const button = (name: string) => wrapper.findAll("button").find((one) => one.text().startsWith(name));
  return {
    wrapper,
    router,
    field,
    button,
    press: async (name: string) => {
      await button(name)?.trigger("click");
      await flushPromises();
    },
    submit: async () => {
      await wrapper.get("form").trigger("submit");
      await flushPromises();
    },
    alerts: () => wrapper.findAll("[role=alert]").map((one) => one.text()),
    errors: () => wrapper.findAll(".error").map((one) => one.text()),
    isShown: (text: string) => document.body.textContent?.includes(text) ?? false,
  };
}
