/** The panes of a place, as F6 goes through them: lists, threads, where one writes, and what stands beside. */

const PANES = "[role=listbox], [role=log], [data-pane], textarea";

/** Go to the next pane that is on screen, or with a step of -1 to the one before. */
export function goToPane(place: HTMLElement | null, step: number): void {
  const found = [...(place?.querySelectorAll<HTMLElement>(PANES) ?? [])];
  const panes = found.filter((pane) => pane.checkVisibility() && !found.some((one) => one !== pane && one.contains(pane)));
  const at = panes.findIndex((pane) => pane.contains(document.activeElement));
  panes[(at + step + panes.length) % panes.length]?.focus();
}

/** Whether something lies over the place that Escape closes first. */
export function isCovered(): boolean {
  return document.querySelector("[role=dialog], [role=menu]") !== null;
}
