import { shallowRef, type Ref } from "vue";

import { useLive } from "@/live.ts";
import type { Phrase, Phrases } from "@/phrases.ts";

export interface Offered {
  /** One's own first; null until the platform answered once. */
  phrases: Readonly<Ref<readonly Phrase[] | null>>;
  hasFailed: Readonly<Ref<boolean>>;
  look(): Promise<void>;
  use(phrase: Phrase): void;
}

/** As they were last told, for every composer of this page: what is opened shows them at once, and then what changed. */
const known = shallowRef<readonly Phrase[] | null>(null);
const failed = shallowRef(false);

export function usePhrases(): Offered {
  return {
    phrases: known,
    hasFailed: failed,
    async look() {
      try {
        const { mine, shop } = (await useLive().core.get("/v1/phrases")) as Phrases;
        known.value = [...mine.phrases, ...shop.phrases];
        failed.value = false;
      } catch {
        failed.value = true;
      }
    },
    use(phrase) {
      // A count that is lost costs nobody anything.
      void useLive().core.call("POST", `/v1/phrases/${phrase.id}/use`, {}).catch(() => undefined);
    },
  };
}
