/** One tick a second for the whole page, by the server's clock. */

import { computed, ref, type ComputedRef } from "vue";

import { useLive } from "@/live.ts";

const local = ref(Date.now());
setInterval(() => (local.value = Date.now()), 1_000);

export function useNow(): ComputedRef<number> {
  const { live } = useLive();
  return computed(() => local.value + live.clockOffset);
}

/** Say a wait as people read it: `0:06`, `3:12`, `1h02`. */
export function waited(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}`;
}
