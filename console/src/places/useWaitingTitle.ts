import { onBeforeUnmount, watchEffect, type Ref } from "vue";

import type { Conversation } from "@/core/types.ts";
import { longestWaiting } from "@/features/desk/order.ts";
import { waited } from "@/now.ts";
import { setTitle } from "@/title.ts";

/** Say in the tab's title how many buyers wait and how long the first of them has, while there are any. */
export function useWaitingTitle(waiting: Readonly<Ref<Conversation[]>>, now: Readonly<Ref<number>>): void {
  watchEffect(() => {
    const longest = longestWaiting(waiting.value);
    setTitle(longest?.waitingSince ? `(${waiting.value.length}) ${waited(now.value - longest.waitingSince)}` : "");
  });
  onBeforeUnmount(() => setTitle(""));
}
