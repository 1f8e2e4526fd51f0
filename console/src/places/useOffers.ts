/** What one is asked to answer for a colleague, and what one says to it. */

import { computed, ref } from "vue";

import type { Offer } from "@/core/types.ts";
import { useLive } from "@/live.ts";

/** So long after its end an offer is accepted still: the way there takes a moment. */
const GRACE_MS = 1_000;

/** Return the offer to show, and how it is answered; `taken` hears of a conversation that became one's own. */
export function useOffers(now: () => number, taken: (conversation: string) => void) {
  const { core, live } = useLive();
  const said = ref<string[]>([]);
  const busy = ref<string | null>(null);
  const failed = ref<{ id: string; code: string } | null>(null);

  const offer = computed(() => live.offers.find((one) => !said.value.includes(one.id) && (now() <= one.expiresAt + GRACE_MS || failed.value?.id === one.id)) ?? null);
  const failure = computed(() => (failed.value !== null && failed.value.id === offer.value?.id ? failed.value.code : null));

  async function answer(one: Offer, word: "accept" | "decline"): Promise<boolean> {
    if (busy.value !== null) return false;
    busy.value = one.id;
    try {
      await core.call("POST", `/v1/conversations/${one.conversation}/offers/${one.id}/${word}`, undefined, { key: `${word}-${one.id}` });
      said.value = [...said.value, one.id];
      return true;
    } catch (error) {
      failed.value = { id: one.id, code: (error as { code?: string }).code ?? "unknown" };
      return false;
    } finally {
      busy.value = null;
    }
  }

  /** Make the buyer one's own, and go to him. */
  async function accept(): Promise<void> {
    const one = offer.value;
    if (one !== null && (await answer(one, "accept"))) taken(one.conversation);
  }

  async function decline(): Promise<void> {
    if (offer.value !== null) await answer(offer.value, "decline");
  }

  return { offer, failure, isBusy: computed(() => busy.value !== null), accept, decline };
}
