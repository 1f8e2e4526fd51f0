/** Whether the pane beside the thread is open: as a column it stays as it was left, as a drawer it is shut again. */

import { computed, shallowRef } from "vue";

import { ofBrowser } from "@/core/storage.ts";
import { lazily } from "@/shell/chunks.ts";

const KEY = "peakdesk.context";
const SHUT = "shut";

const wide = matchMedia("(width >= 1280px)");
const isWide = shallowRef(wide.matches);
wide.addEventListener("change", () => (isWide.value = wide.matches));
const isColumnOpen = shallowRef(ofBrowser.get(KEY) !== SHUT);
const isDrawerOpen = shallowRef(false);

/** The pane is a chunk of its own: the first screen is the list and the thread. */
export const loadContext = lazily(() => import("@/features/context/ContextPane.vue"));

export const isDrawer = computed(() => !isWide.value);
export const isContextOpen = computed(() => (isWide.value ? isColumnOpen.value : isDrawerOpen.value));

export function openContext(isOpen: boolean): void {
  if (!isWide.value) {
    isDrawerOpen.value = isOpen;
    return;
  }
  isColumnOpen.value = isOpen;
  ofBrowser.set(KEY, isOpen ? "open" : SHUT);
}

/** Shut the drawer; false where there was none to shut. */
export function shutDrawer(): boolean {
  const wasOpen = isDrawer.value && isDrawerOpen.value;
  isDrawerOpen.value = false;
  return wasOpen;
}

export function toggleContext(): void {
  openContext(!isContextOpen.value);
}
