import { expect, it } from "vitest";

import { ALT, OTHERS, askedFor } from "@/places/deskKeys.ts";

/** A key that was pressed somewhere; `into` is a tag's name. */
function pressed(init: KeyboardEventInit, into = "div"): ReturnType<typeof askedFor> {
  const target = document.createElement(into);
  document.body.append(target);
  let asked: ReturnType<typeof askedFor> = null;
  target.addEventListener("keydown", (event) => (asked = askedFor(event)));
  target.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, ...init }));
  return asked;
}

it("knows each key by its place, whatever stands on it", () => {
  expect(ALT.map(({ code }) => pressed({ altKey: true, code, key: "ß" }))).toEqual(ALT.map(({ does }) => does));
  expect([pressed({ code: "F6" }), pressed({ code: "F6", shiftKey: true })]).toEqual(["pane", "paneBack"]);
});

it("takes no key from the browser, an input method or who writes", () => {
  const menus = ["KeyD", "KeyE", "KeyF", "KeyC", "KeyV"];
  expect(menus.map((code) => pressed({ altKey: true, code }))).toEqual(menus.map(() => null));
  expect(pressed({ altKey: true, code: "KeyW", isComposing: true })).toBeNull();
  expect(pressed({ altKey: true, ctrlKey: true, code: "KeyW" })).toBeNull();
  expect(pressed({ key: "?", code: "Slash", shiftKey: true }, "textarea")).toBeNull();
  expect(pressed({ key: "?", code: "Slash", shiftKey: true })).toBe("help");
});

it("shows every key once", () => {
  const keys = [...ALT, ...OTHERS].map((one) => one.keys);
  expect(new Set(keys).size).toBe(keys.length);
});
