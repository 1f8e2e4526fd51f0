import { ref, shallowRef, watch, type Ref } from "vue";

import type { Problem } from "@/core/types.ts";
import { useLive } from "@/live.ts";

export interface Looked<Answer> {
  /** Null until something was answered, and while nothing is asked. */
  answer: Readonly<Ref<Answer | null>>;
  /** Code of why there is no answer, empty if there is one. */
  failed: Readonly<Ref<string>>;
}

/** What a list says of the words that are looked for, whenever they change or are asked for again. */
export function useLooked<Answer>(route: string, query: () => string, turn: () => number): Looked<Answer> {
  const { core } = useLive();
  const answer = shallowRef<Answer | null>(null);
  const failed = ref("");
  let asked = 0;

  async function ask(): Promise<void> {
    const number = (asked += 1);
    const q = query().trim();
    if (q === "") {
      [answer.value, failed.value] = [null, ""];
      return;
    }
    const found = await core.get(`${route}?${new URLSearchParams({ q })}`).then(
      (value) => ({ value: value as Answer, code: "" }),
      (refused: unknown) => ({ value: null, code: (refused as Partial<Problem>).code ?? "unreachable" }),
    );
    // Whoever asked later is answered later.
    if (number === asked) [answer.value, failed.value] = [found.value, found.code];
  }

  watch([query, turn], () => void ask(), { immediate: true });
  return { answer, failed };
}
