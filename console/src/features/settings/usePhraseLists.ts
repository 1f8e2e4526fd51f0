import { onMounted, ref, shallowRef, type Ref } from "vue";

import type { Problem } from "@/core/types.ts";
import { useLive } from "@/live.ts";
import type { Phrase, PhraseList, Phrases } from "@/phrases.ts";

/** One's own list, or the shop's. */
export type Which = "mine" | "shop";

/** What is kept of a phrase; without an id it is a new one. */
export type Kept = Pick<Phrase, "title" | "words"> & { id?: string };

export interface PhraseLists {
  /** Null until the platform answered once. */
  lists: Readonly<Ref<Phrases | null>>;
  /** Code of why they could not be read the last time, empty if they could. */
  failed: Readonly<Ref<string>>;
  look(): Promise<void>;
  /** Put another list in the place of the one that is shown. Rejects with a `Problem`; a list that somebody else changed is shown anew. */
  save(which: Which, phrases: readonly Kept[]): Promise<void>;
}

/** The quick replies of a person and his shop, read whole and written whole, against the version that is shown. */
export function usePhraseLists(): PhraseLists {
  const { core } = useLive();
  const lists = shallowRef<Phrases | null>(null);
  const failed = ref("");

  async function look(): Promise<void> {
    try {
      lists.value = (await core.get("/v1/phrases")) as Phrases;
      failed.value = "";
    } catch (refused) {
      failed.value = (refused as Partial<Problem>).code ?? "unreachable";
    }
  }

  async function save(which: Which, phrases: readonly Kept[]): Promise<void> {
    const before = lists.value;
    if (before === null) return;
    const { version } = before[which];
    try {
      const kept = which === "mine" ? core.call("PUT", "/v1/phrases/mine", { phrases }, { version }) : core.call("POST", "/v1/phrases/sets", { phrases, base: version });
      lists.value = { ...before, [which]: (await kept) as PhraseList };
    } catch (refused) {
      if ((refused as Problem).code === "stale") await look();
      throw refused;
    }
  }

  onMounted(() => void look());
  return { lists, failed, look, save };
}
