import { mount } from "@vue/test-utils";
import { expect, it, vi } from "vitest";

import Button from "@/ui/Button.vue";

it("a button keeps the focus while what it began is on its way, and takes no second press", async () => {
  const press = vi.fn();
  const button = mount(Button, { props: { onClick: press }, slots: { default: "x" }, attachTo: document.body });
  button.element.focus();
  await button.trigger("click");

  await button.setProps({ busy: true });
  await button.trigger("click");

  expect(document.activeElement).toBe(button.element);
  expect(button.attributes()).toMatchObject({ "aria-disabled": "true", "aria-busy": "true" });
  expect(button.attributes("disabled")).toBeUndefined();
  expect(press).toHaveBeenCalledOnce();
  button.unmount();
});

it("a form is not sent a second time by the button that is busy with it", async () => {
  const send = vi.fn((event: Event) => event.preventDefault());
  const form = mount({ components: { Button }, props: ["busy"], setup: () => ({ send }), template: '<form @submit="send"><Button type="submit" :busy="busy">x</Button></form>' }, { props: { busy: true }, attachTo: document.body });

  form.get("button").element.click();
  expect(send).not.toHaveBeenCalled();
  await form.setProps({ busy: false });
  form.get("button").element.click();

  expect(send).toHaveBeenCalledOnce();
  form.unmount();
});
