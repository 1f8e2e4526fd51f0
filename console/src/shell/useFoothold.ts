/** Where somebody with a keyboard goes on when what he stood on goes away. */

import { onBeforeUnmount, onMounted } from "vue";

const PRESSED = "a[href], button, select, summary, [tabindex='0']";
const WRITTEN = "textarea, input:not([type=radio], [type=checkbox]), [contenteditable]";
const PANES = "section, aside, nav, [data-pane], [role=dialog]";
/** Where one begins in a place that one has come to. */
const BEGUN = "textarea, [role=listbox], section";

/** Look after the focus in `box`: a browser drops it without a word, and the next key would begin at the page's top. */
export function useFoothold(box: () => HTMLElement | null): void {
  let stood: HTMLElement | null = null;
  /** What stands around it, the innermost first, and what was pressed or written before it. */
  let around: HTMLElement[] = [];
  let before: HTMLElement[] = [];
  const watcher = new MutationObserver(() => {
    if (stood !== null && isGone(stood) && isNowhere(stood)) goOn();
  });

  function remember(event: FocusEvent): void {
    stood = event.target as HTMLElement;
    around = [];
    for (let one = stood.parentElement; one !== null && one !== box()?.parentElement; one = one.parentElement) around.push(one);
    const pane = stood.closest<HTMLElement>(PANES) ?? box();
    const all = pane === null ? [] : standable(pane);
    before = all.slice(0, Math.max(0, all.indexOf(stood)));
  }

  /** Who left it himself, as by a click beside everything, stands nowhere by his own wish. */
  function left(): void {
    queueMicrotask(() => {
      if (stood?.isConnected && document.activeElement === document.body) stood = null;
    });
  }

  function goOn(): void {
    const wasWritten = stood?.matches(WRITTEN) ?? false;
    stood = null;
    const near = around.find((one) => one.isConnected) ?? box();
    const pane = near?.closest<HTMLElement>(PANES) ?? box();
    // Who was writing goes on typing for a moment, and may press nothing by that.
    const next = wasWritten || near === null || near === pane || pane === box() ? undefined : beside(standable(near));
    const begun = pane === box() ? pane?.querySelector<HTMLElement>(wasWritten ? "section" : BEGUN) : null;
    const to = next ?? begun ?? pane;
    if (to !== null) enter(to);
  }

  /** What stands where that stood: behind what was before it. */
  function beside(found: readonly HTMLElement[]): HTMLElement | undefined {
    return found[found.findLastIndex((one) => before.includes(one)) + 1] ?? found.at(-1);
  }

  onMounted(() => {
    const element = box();
    element?.addEventListener("focusin", remember);
    element?.addEventListener("focusout", left);
    if (element !== null) watcher.observe(element, { subtree: true, childList: true, attributeFilter: ["disabled"] });
  });
  onBeforeUnmount(() => {
    watcher.disconnect();
  });
}

function standable(within: HTMLElement): HTMLElement[] {
  return [...within.querySelectorAll<HTMLElement>(`${PRESSED}, ${WRITTEN}`)].filter((one) => !one.matches(":disabled"));
}

const isGone = (one: HTMLElement) => !one.isConnected || one.matches(":disabled");
const isNowhere = (stood: HTMLElement) => [null, document.body, stood].includes(document.activeElement as HTMLElement | null);

/** A pane takes the focus itself, and the next Tab goes on in it. */
function enter(to: HTMLElement): void {
  if (to.tabIndex < 0 && !to.hasAttribute("tabindex")) to.tabIndex = -1;
  to.focus();
}
