/** The worker's state for components: one ref for each part, replaced and never changed in place. */

import { shallowReactive } from "vue";

import { connect, slotOfTab, useSlot } from "@/core/page.ts";
import type { Core, State } from "@/core/types.ts";

let core: Core | null = null;
let live: State | null = null;

/** Return the worker of this tab's slot, and what it knows. */
export function useLive(): { core: Core; live: Readonly<State> } {
  if (core === null || live === null) {
    core = connect(slotOfTab());
    const shown = shallowReactive({ ...core.state });
    core.subscribe((changed) => Object.assign(shown, changed));
    live = shown;
  }
  return { core, live };
}

/** Go on as somebody else in this tab: in the next of ten slots. */
export function useAnotherSlot(): void {
  useSlot((slotOfTab() + 1) % 10);
  core = live = null;
}
