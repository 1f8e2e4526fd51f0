/** The workbench's keys, by what they do: one table for who binds them and who shows them. */

export interface Shortcut {
  /** What it does; its words are `desk.keys.<does>`. */
  does: string;
  /** Its place on the keyboard, `KeyboardEvent.code`. */
  code: string;
  /** As people read it. */
  keys: string;
}

/** With Alt. Never D, E or F, which open the browser's menus, nor C and V, which input methods use. */
export const ALT = [
  { does: "longest", code: "KeyW", keys: "Alt+W" },
  { does: "accept", code: "KeyA", keys: "Alt+A" },
  { does: "previous", code: "ArrowUp", keys: "Alt+↑" },
  { does: "next", code: "ArrowDown", keys: "Alt+↓" },
  { does: "transfer", code: "KeyT", keys: "Alt+T" },
  { does: "end", code: "KeyX", keys: "Alt+X" },
  { does: "context", code: "KeyI", keys: "Alt+I" },
  { does: "retry", code: "KeyR", keys: "Alt+R" },
  { does: "help", code: "Slash", keys: "Alt+/" },
] as const satisfies readonly Shortcut[];

export type Does = (typeof ALT)[number]["does"];

/** Those that are bound elsewhere: the state's menu, the composer, the browser's own. */
export const OTHERS = [
  { does: "state", keys: "Alt+S" },
  { does: "quick", keys: "Alt+Q" },
  { does: "note", keys: "Alt+N" },
  { does: "send", keys: "Enter" },
  { does: "line", keys: "Shift+Enter" },
  { does: "search", keys: "Ctrl+K" },
  { does: "pane", keys: "F6" },
  { does: "paneBack", keys: "Shift+F6" },
  { does: "close", keys: "Esc" },
] as const;

/** What an event asks for, null for nothing of the workbench's: input methods and text keep their keys. */
export function askedFor(event: KeyboardEvent): Does | "pane" | "paneBack" | "close" | null {
  if (event.isComposing || event.ctrlKey || event.metaKey) return null;
  if (event.altKey) return event.shiftKey ? null : (ALT.find((one) => one.code === event.code)?.does ?? null);
  if (event.code === "F6") return event.shiftKey ? "paneBack" : "pane";
  if (event.key === "Escape") return "close";
  return event.key === "?" && !isText(event.target) ? "help" : null;
}

function isText(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}
