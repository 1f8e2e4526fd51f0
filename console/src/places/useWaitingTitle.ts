import { onBeforeUnmount, watchEffect, type Ref } from "vue";

import type { Conversation } from "@/core/types.ts";
import { longestWaiting } from "@/features/desk/order.ts";
import { waited } from "@/now.ts";
import { setTitle } from "@/title.ts";

/** Say in the tab's title how many buyers wait and how long the first of them has, while there are any. */
export function useWaitingTitle(waiting: Readonly<Ref<Conversation[]>>, now: Readonly<Ref<number>>): void {
  watchEffect(() => setTitle(waitingTitle(waiting.value, now.value)));
  onBeforeUnmount(() => setTitle(""));
}

/** `(3) 3:12`; nothing while nobody waits. */
export function waitingTitle(waiting: readonly Conversation[], now: number): string {
  const longest = longestWaiting(waiting);
  return longest?.waitingSince ? `(${waiting.length}) ${waited(now - longest.waitingSince)}` : "";
}
