/** The panes of a place, as F6 goes through them: lists, threads, where one writes, and what stands beside. */

import { onBeforeUnmount, onMounted } from "vue";

const PANES = "[role=listbox], [role=log], [data-pane], textarea";

/** Go to the next pane that is on screen, or with a step of -1 to the one before. */
export function goToPane(place: HTMLElement | null, step: number): void {
  const found = [...(place?.querySelectorAll<HTMLElement>(PANES) ?? [])];
  const panes = found.filter((pane) => pane.checkVisibility() && !found.some((one) => one !== pane && one.contains(pane)));
  const at = panes.findIndex((pane) => pane.contains(document.activeElement));
  panes[at < 0 && step < 0 ? panes.length - 1 : (at + step + panes.length) % panes.length]?.focus();
}

/** F6 goes through the panes of a place that has no other keys of its own. */
export function usePaneKeys(place: () => HTMLElement | null): void {
  function onKey(event: KeyboardEvent): void {
    if (event.code !== "F6" || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault();
    goToPane(place(), event.shiftKey ? -1 : 1);
  }
  onMounted(() => addEventListener("keydown", onKey));
  onBeforeUnmount(() => removeEventListener("keydown", onKey));
}

/** Whether something lies over the place that Escape closes first. */
export function isCovered(): boolean {
  return document.querySelector("[role=dialog], [role=menu]") !== null;
}
