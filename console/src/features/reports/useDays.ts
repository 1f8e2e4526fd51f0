/** Which days a report is of, and what the platform answers of them. What is chosen stands in the address. */

import { computed, shallowRef, watch, type ComputedRef, type Ref } from "vue";
import { useRoute, useRouter } from "vue-router";

import type { Problem } from "@/core/types.ts";
import { useLive } from "@/live.ts";
import { useNow } from "@/now.ts";
import { dateOf, dayAfter } from "@/zone.ts";

const DAY_MS = 86_400_000;

export interface Days {
  today: ComputedRef<string>;
  from: ComputedRef<string>;
  until: ComputedRef<string>;
  length: ComputedRef<number>;
  one(name: string): string;
  go(changed: Record<string, string>): void;
}

export function useDays(): Days {
  const route = useRoute();
  const router = useRouter();
  const now = useNow();
  const one = (name: string) => (typeof route.query[name] === "string" ? route.query[name] : "");
  const day = (name: string) => (/^\d{4}-\d\d-\d\d$/.test(one(name)) ? one(name) : null);
  const today = computed(() => dateOf(now.value));
  const from = computed(() => day("from") ?? today.value);
  const until = computed(() => {
    const chosen = day("until") ?? from.value;
    return chosen < from.value ? from.value : chosen;
  });
  const length = computed(() => (Date.parse(until.value) - Date.parse(from.value)) / DAY_MS + 1);
  const go = (changed: Record<string, string>) => void router.replace({ params: route.params, query: { ...route.query, ...changed } });
  return { today, from, until, length, one, go };
}

export function useAnswer<Answer>(
  name: string,
  days: Days,
  /** Null: not to be asked yet. */
  more: () => Record<string, string> | null,
): { answer: Ref<Answer | null>; status: Ref<"asked" | "known" | "failed">; problem: Ref<Problem | null>; again: () => Promise<void>; file: () => Promise<string> } {
  const { core, live } = useLive();
  const answer = shallowRef<Answer | null>(null);
  const status = shallowRef<"asked" | "known" | "failed">("asked");
  const problem = shallowRef<Problem | null>(null);
  const path = () => {
    const wanted = more();
    return wanted === null ? null : `/v1/monitor/${name}?${new URLSearchParams({ shop: live.me?.shopId ?? "", from: days.from.value, to: dayAfter(days.until.value), ...wanted })}`;
  };
  let asking = 0;

  async function again(): Promise<void> {
    const wanted = path();
    if (wanted === null) return;
    asking += 1;
    const mine = asking;
    status.value = "asked";
    try {
      const found = (await core.get(wanted)) as Answer;
      if (mine !== asking) return;
      [answer.value, status.value] = [found, "known"];
    } catch (error) {
      if (mine !== asking) return;
      [problem.value, status.value] = [error as Problem, "failed"];
    }
  }

  watch(path, again, { immediate: true });
  return { answer, status, problem, again, file: async () => (await core.sheet(path() ?? "")) as string };
}
