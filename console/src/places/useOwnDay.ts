/** One's own averages of today, asked for again while the desk is shown. */

import { onBeforeUnmount, onMounted, shallowRef, watch, type Ref } from "vue";

import { useLive } from "@/live.ts";

const EVERY_MS = 30_000;
/** So that desks that were opened together do not ask together. */
const JITTER_MS = 5_000;

/** Null where there is none yet, which is not 0. */
export interface OwnFigures {
  meanMs: number | null;
  meanFirstMs: number | null;
}

interface OwnDay {
  profile: string | null;
  figures: { profile: string; rounds: number; round_ms: number; first_responses: number; first_response_ms: number }[];
}

const mean = (sum: number, count: number) => (count === 0 ? null : sum / count);

/** What is known last; null before that, and once it cannot be had: what is old is not shown as today's. */
export function useOwnDay(): Ref<OwnFigures | null> {
  const { core, live } = useLive();
  const own = shallowRef<OwnFigures | null>(null);
  let again: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;

  async function ask(): Promise<void> {
    clearTimeout(again);
    try {
      const day = (await core.get("/v1/monitor/me")) as OwnDay;
      const found = day.figures.find((one) => one.profile === day.profile);
      own.value = found === undefined ? null : { meanMs: mean(found.round_ms, found.rounds), meanFirstMs: mean(found.first_response_ms, found.first_responses) };
    } catch {
      own.value = null;
    }
    clearTimeout(again);
    if (!isOver) again = setTimeout(ask, EVERY_MS + JITTER_MS * (2 * Math.random() - 1));
  }

  onMounted(ask);
  watch(
    () => live.connection,
    (now) => now === "connected" && void ask(),
  );
  onBeforeUnmount(() => {
    isOver = true;
    clearTimeout(again);
  });
  return own;
}
