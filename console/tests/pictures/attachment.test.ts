import { enableAutoUnmount, flushPromises, mount } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { i18n, speak } from "@/locales/i18n.ts";
import Attachment from "@/pictures/Attachment.vue";

enableAutoUnmount(afterEach);

const send = vi.fn<(picture: Blob, key: string) => Promise<void>>();

function shown(file: File) {
  return mount(Attachment, { props: { file, send }, global: { plugins: [i18n] }, attachTo: document.body });
}

const buttons = (page: ReturnType<typeof shown>) => page.findAll("button").map((one) => one.text());

beforeEach(async () => {
  send.mockReset().mockResolvedValue();
  vi.stubGlobal("createImageBitmap", () => Promise.reject(new DOMException("none", "InvalidStateError")));
  await speak("zh-CN");
});
afterEach(() => vi.unstubAllGlobals());

describe("a picture before it is sent", () => {
  it("says what it is, and goes when somebody says so", async () => {
    const file = new File(["x".repeat(2_100)], "面单.jpg", { type: "image/jpeg" });
    const page = shown(file);
    expect(page.text()).toContain("面单.jpg · 3 KB");
    expect(send).not.toHaveBeenCalled();

    await page.findAll("button").find((one) => one.text() === "发送图片")?.trigger("click");
    await flushPromises();

    expect(send).toHaveBeenCalledExactlyOnceWith(file, expect.any(String));
    expect(page.emitted("over")).toHaveLength(1);
  });

  it("is refused for what it says it is, and offers no way to send it", () => {
    const page = shown(new File(["<svg/>"], "logo.svg", { type: "image/svg+xml" }));
    expect(page.get("[role=alert]").text()).toContain("只能发送 JPEG、PNG、WebP 或 GIF 图片");
    expect(buttons(page)).toEqual(["取消"]);
  });

  it("is not even sent where it is too large", async () => {
    const page = shown(new File([new Uint8Array(5 * 1024 * 1024 + 1)], "a.gif", { type: "image/gif" }));
    await page.findAll("button").find((one) => one.text() === "发送图片")?.trigger("click");
    await flushPromises();
    expect(page.get("[role=alert]").text()).toContain("图片超过 5 MB");
    expect(send).not.toHaveBeenCalled();
  });

  it("stays with a sentence when the platform refuses it, and goes under the same key", async () => {
    send.mockRejectedValueOnce({ code: "no_picture" }).mockRejectedValueOnce({ code: "something_new" });
    const page = shown(new File(["x"], "a.png", { type: "image/png" }));
    const press = async () => {
      await page.findAll("button").find((one) => one.text() === "发送图片")?.trigger("click");
      await flushPromises();
    };
    await press();
    expect(page.get("[role=alert]").text()).toBe("这个文件不是能显示的图片，没有发出。");
    await press();
    expect(page.get("[role=alert]").text()).toBe("图片没有发出，请再试一次。");
    await press();
    expect(new Set(send.mock.calls.map(([, key]) => key)).size).toBe(1);
    expect(page.emitted("over")).toHaveLength(1);
  });
});
