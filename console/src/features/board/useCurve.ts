/** Today's curve, asked for again while it is on the screen, and yesterday's, which changes no more. */

import { shallowRef, watch, type Ref } from "vue";

import { useAsked, type Asked } from "@/asked.ts";
import { useLive } from "@/live.ts";
import { dayBefore } from "@/zone.ts";

import type { Curve } from "./curve.ts";

export function useCurve(): { today: Asked<Curve>; before: Readonly<Ref<Curve | null>> } {
  const { core, live } = useLive();
  const path = (more: Record<string, string> = {}) => `/v1/monitor/curve?${new URLSearchParams({ shop: live.me?.shopId ?? "", ...more })}`;
  // Which day it is in the shop is the platform's to say: a wall may hang in another zone.
  const today = useAsked<Curve>(() => path());
  const before = shallowRef<Curve | null>(null);

  /** Asked for as often as today's until it is there. */
  watch(today.answer, async (answer) => {
    if (answer === null) return;
    const wanted = dayBefore(answer.day);
    if (before.value?.day === wanted) return;
    const found = (await core.get(path({ day: wanted })).catch(() => null)) as Curve | null;
    if (today.answer.value !== null && dayBefore(today.answer.value.day) === wanted) before.value = found;
  });
  return { today, before };
}
