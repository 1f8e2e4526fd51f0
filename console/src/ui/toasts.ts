/** Short words about what was just done; what must not be missed stands in place instead. */

import { shallowRef } from "vue";

import type { Tone } from "./tones.ts";

export interface Toast {
  id: number;
  text: string;
  tone: Tone;
}

const SHOWN_MS = 5_000;
const AT_ONCE = 3;

export const toasts = shallowRef<readonly Toast[]>([]);
let last = 0;

/** Show a line for five seconds; of more than three the oldest goes. */
export function toast(text: string, tone: Tone = "plain"): void {
  const id = ++last;
  toasts.value = [...toasts.value, { id, text, tone }].slice(-AT_ONCE);
  setTimeout(() => dismiss(id), SHOWN_MS);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((shown) => shown.id !== id);
}
