/** Says which of one's own conversations stands open, as long as its words are not there. */

import { watch } from "vue";

import type { Conversation } from "@/core/types.ts";
import { useLive } from "@/live.ts";

/** Whether what was said in a conversation is there. */
export function isThere(conversation: Conversation): boolean {
  return conversation.items.length > 0 || conversation.maySend !== null;
}

export function useOpening(open: () => Conversation | undefined): void {
  const { core, live } = useLive();
  watch(
    () => {
      const one = open();
      return one !== undefined && live.conversations[one.id] !== undefined && one.maySend === null ? one.id : null;
    },
    (id) => id !== null && void core.watch(id).catch(() => undefined),
    { immediate: true },
  );
}
