import { shallowRef, watch, type Ref } from "vue";

import { useLive } from "@/live.ts";

/** As many as the platform answers at once. */
const AT_ONCE = 50;

/** What names an order: the shop's own number, and its buyer, masked. */
export interface Named {
  id: string;
  external_id: string;
  buyer: { name: string };
}

/** The orders of these ids, as far as they are known: each is asked for once, for its name never changes. */
export function useOrders(ids: () => readonly string[]): Readonly<Ref<ReadonlyMap<string, Named>>> {
  const { core } = useLive();
  const orders = shallowRef<ReadonlyMap<string, Named>>(new Map());
  const asked = new Set<string>();

  async function ask(some: readonly string[]): Promise<void> {
    try {
      const page = (await core.get(`/v1/orders?ids=${some.join(",")}`)) as { items?: readonly Named[] };
      orders.value = new Map([...orders.value, ...(page.items ?? []).map((one) => [one.id, one] as const)]);
    } catch {
      // Whoever looks again asks again; a row is of use without its name, too.
      for (const id of some) asked.delete(id);
    }
  }

  watch(
    ids,
    (now) => {
      const unknown = [...new Set(now)].filter((id) => id !== "" && !asked.has(id));
      for (const id of unknown) asked.add(id);
      for (let at = 0; at < unknown.length; at += AT_ONCE) void ask(unknown.slice(at, at + AT_ONCE));
    },
    { immediate: true },
  );
  return orders;
}
