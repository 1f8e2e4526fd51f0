import { onBeforeUnmount, ref, shallowRef, type Ref } from "vue";

import type { Problem } from "@/core/types.ts";

/** What is masked is shown for so long, and then it is masked again. */
export const SHOWN_MS = 60_000;

export interface Shortly<Value> {
  shown: Readonly<Ref<Value | null>>;
  problem: Readonly<Ref<Problem | null>>;
  isBusy: Readonly<Ref<boolean>>;
  show(ask: () => Promise<Value>): Promise<void>;
  hide(): void;
}

/** Something that is on the screen for a minute at most. */
export function useShortly<Value>(): Shortly<Value> {
  const shown = shallowRef<Value | null>(null);
  const problem = shallowRef<Problem | null>(null);
  const isBusy = ref(false);
  let over: ReturnType<typeof setTimeout> | undefined;
  let isGone = false;

  function hide(): void {
    clearTimeout(over);
    shown.value = null;
  }

  async function show(ask: () => Promise<Value>): Promise<void> {
    if (isBusy.value) return;
    isBusy.value = true;
    problem.value = null;
    try {
      const found = await ask();
      if (isGone) return;
      hide();
      shown.value = found;
      over = setTimeout(hide, SHOWN_MS);
    } catch (refused) {
      problem.value = refused as Problem;
    } finally {
      isBusy.value = false;
    }
  }

  onBeforeUnmount(() => {
    isGone = true;
    hide();
  });
  return { shown, problem, isBusy, show, hide };
}
