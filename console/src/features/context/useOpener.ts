import { nextTick, watch } from "vue";

/**
 * Who is done with a form goes on where he opened it: at the button of that name (`data-does`), or at the
 * first that is offered now. `box` holds the buttons, `doing` says which of them is done.
 */
export function useOpener(box: () => HTMLElement | null, doing: () => string | null): void {
  watch(doing, async (now, was) => {
    if (now !== null) return;
    await nextTick();
    (box()?.querySelector<HTMLElement>(`[data-does="${was}"]`) ?? box()?.querySelector("button"))?.focus();
  });
}
