import { ref, watch, type Ref } from "vue";

import type { Left } from "@/core/types.ts";
import { useLive } from "@/live.ts";

/** People of whom the names are known at most; a larger shop's others are nameless here. */
const PEOPLE = 200;

/** The name of who has a conversation that left: asked for when one leaves, empty until it is known. */
export function useHolder(left: () => Left | undefined): Readonly<Ref<string>> {
  const { core } = useLive();
  const name = ref("");
  watch(
    () => left()?.toAgent ?? null,
    async (id) => {
      name.value = "";
      if (id === null) return;
      const page = (await core.get(`/v1/agents?limit=${PEOPLE}`).catch(() => ({ items: [] }))) as { items: { id: string; name: string }[] };
      if (left()?.toAgent === id) name.value = page.items.find((one) => one.id === id)?.name ?? "";
    },
    { immediate: true },
  );
  return name;
}
