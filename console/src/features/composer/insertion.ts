/** Words that are put where one writes, as if they had been typed. */

import { firstBlank } from "@/phrases.ts";

/** What opens the quick replies at the start of a message: an input method for Chinese writes 、 for the same key. */
const OPENERS = ["/", "、"];

export function isOpener(text: string): boolean {
  return OPENERS.includes(text);
}

/** Put words at the caret, in place of what is selected, or of the key that asked for them; then go to what is still to be filled in. */
export function insert(area: HTMLTextAreaElement, words: string): void {
  const [start, end] = isOpener(area.value) ? [0, area.value.length] : [area.selectionStart, area.selectionEnd];
  area.focus();
  area.setRangeText(words, start, end, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
  const [from, to] = firstBlank(words) ?? [words.length, words.length];
  area.setSelectionRange(start + from, start + to);
}
