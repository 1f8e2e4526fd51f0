import { computed, ref, shallowRef, watch, type Ref } from "vue";

import type { Problem } from "@/core/types.ts";
import { useLive } from "@/live.ts";

import { LEAST, pathOf, type Found, type FoundConversation, type Hit } from "./found.ts";

export interface Searched {
  /** Null until something was answered. */
  hits: Readonly<Ref<readonly Hit[] | null>>;
  conversations: Readonly<Ref<ReadonlyMap<string, FoundConversation>>>;
  last: Readonly<Ref<Found | null>>;
  /** Code of why there is no answer, empty if there is one. */
  failed: Readonly<Ref<string>>;
  isBusy: Readonly<Ref<boolean>>;
  hasMore: Readonly<Ref<boolean>>;
  again(): Promise<void>;
  more(): Promise<void>;
}

/** What was said with these words; a newer question takes the place of one that is not answered yet. */
export function useSearch(query: () => string): Searched {
  const { core } = useLive();
  const hits = shallowRef<readonly Hit[] | null>(null);
  const conversations = shallowRef<ReadonlyMap<string, FoundConversation>>(new Map());
  const last = shallowRef<Found | null>(null);
  const failed = ref("");
  const isBusy = ref(false);
  let asked = 0;

  async function ask(cursor: string | null): Promise<void> {
    const number = (asked += 1);
    failed.value = "";
    if (Array.from(query().trim()).length < LEAST) {
      hits.value = last.value = null;
      isBusy.value = false;
      return;
    }
    isBusy.value = true;
    try {
      const found = (await core.get(pathOf(query().trim(), cursor))) as Found;
      if (number !== asked) return;
      hits.value = cursor === null ? found.items : [...(hits.value ?? []), ...found.items];
      conversations.value = new Map([...(cursor === null ? [] : conversations.value), ...found.conversations.map((one) => [one.id, one] as const)]);
      last.value = found;
    } catch (refused) {
      if (number === asked) failed.value = (refused as Partial<Problem>).code ?? "unreachable";
    }
    if (number === asked) isBusy.value = false;
  }

  watch(query, () => void ask(null), { immediate: true });
  return {
    hits,
    conversations,
    last,
    failed,
    isBusy,
    hasMore: computed(() => (last.value?.next_cursor ?? null) !== null),
    again: () => ask(null),
    more: () => ask(last.value?.next_cursor ?? null),
  };
}
