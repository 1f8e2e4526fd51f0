import { onMounted, shallowRef, type Ref } from "vue";

import { useLive } from "@/live.ts";

/** People of whom the names are known at most; a larger shop's others are nameless here. */
const PEOPLE = 200;

/** The names of a shop's staff, by their ids: asked for once, for names seldom change. */
export function useNames(isWanted: boolean): Readonly<Ref<ReadonlyMap<string, string>>> {
  const { core } = useLive();
  const names = shallowRef<ReadonlyMap<string, string>>(new Map());
  onMounted(async () => {
    if (!isWanted) return;
    const page = (await core.get(`/v1/agents?limit=${PEOPLE}`).catch(() => ({ items: [] }))) as { items: { id: string; name: string }[] };
    names.value = new Map(page.items.map((one) => [one.id, one.name]));
  });
  return names;
}
