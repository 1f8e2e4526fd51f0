import { onBeforeUnmount, onMounted, shallowRef, watch, type Ref } from "vue";

import type { Problem } from "@/core/types.ts";
import { useLive } from "@/live.ts";

/** No stream tells what others do to an order: it is asked again while somebody looks. */
const EVERY_MS = 20_000;
/** So that desks that were opened together do not ask together. */
const JITTER_MS = 4_000;

export interface Asked<Answer> {
  /** Null until there was an answer. */
  answer: Readonly<Ref<Answer | null>>;
  /** Why there was none the last time; what is shown then is older. */
  problem: Readonly<Ref<Problem | null>>;
  /** When the platform answered last. */
  at: Readonly<Ref<number>>;
  again(): Promise<void>;
}

/** What a route answers, kept fresh while it is on the screen; a path of null asks for nothing. */
export function useAsked<Answer>(path: () => string | null): Asked<Answer> {
  const { core, live } = useLive();
  const answer = shallowRef<Answer | null>(null);
  const problem = shallowRef<Problem | null>(null);
  const at = shallowRef(0);
  let next: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  let count = 0;

  async function again(): Promise<void> {
    const [asked, turn] = [path(), (count += 1)];
    clearTimeout(next);
    if (asked === null) return;
    const found = await core.get(asked).then(
      (value) => ({ value: value as Answer }),
      (refused: unknown) => ({ refused: refused as Problem }),
    );
    // Who asked later, for the same or for something else, is answered later.
    if (turn !== count || isOver) return;
    if ("value" in found) {
      [answer.value, problem.value, at.value] = [found.value, null, Date.now()];
    } else {
      problem.value = found.refused;
    }
    next = setTimeout(look, EVERY_MS + JITTER_MS * (2 * Math.random() - 1));
  }

  /** A page that nobody sees asks for nothing, and at once when it is seen again. */
  function look(): void {
    if (document.visibilityState !== "hidden") void again();
  }

  onMounted(() => {
    document.addEventListener("visibilitychange", look);
    void again();
  });
  onBeforeUnmount(() => {
    isOver = true;
    clearTimeout(next);
    document.removeEventListener("visibilitychange", look);
  });
  watch(path, () => {
    [answer.value, problem.value] = [null, null];
    void again();
  });
  watch(() => [live.work, live.connection === "connected"], look);
  return { answer, problem, at, again };
}
