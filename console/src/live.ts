/** The worker's state for components: one ref for each part, replaced and never changed in place. */

import { shallowReactive } from "vue";

import { connect, slotOfTab } from "@/core/page.ts";
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
