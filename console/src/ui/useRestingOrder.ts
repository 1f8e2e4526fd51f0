import { computed, onBeforeUnmount, ref, shallowRef, watch, type ComputedRef, type ShallowRef } from "vue";

const REST_MS = 800;

/**
 * An order that rests while somebody points: nothing moves away under the pointer. `point` says that
 * somebody does, `settle` that nobody does any more; it happens by itself soon after the last `point`.
 * `resting` says what stays of the order shown when another one is wanted.
 */
export function useRestingOrder<Order>(
  wanted: () => Order,
  resting: (shown: Order, wanted: Order) => Order,
): { order: ShallowRef<Order>; isBehind: ComputedRef<boolean>; point: () => void; settle: () => void } {
  const order = shallowRef(wanted());
  const pointed = ref(false);
  let rest: ReturnType<typeof setTimeout> | undefined;

  watch(wanted, (now) => (order.value = pointed.value ? resting(order.value, now) : now));

  function settle(): void {
    clearTimeout(rest);
    pointed.value = false;
    order.value = wanted();
  }

  function point(): void {
    pointed.value = true;
    clearTimeout(rest);
    rest = setTimeout(settle, REST_MS);
  }

  onBeforeUnmount(() => clearTimeout(rest));
  return { order, isBehind: computed(() => JSON.stringify(order.value) !== JSON.stringify(wanted())), point, settle };
}

/** Keep a list as it is shown: who left is gone, who is new comes last, everybody else stays. */
export function restingList(shown: readonly string[], wanted: readonly string[]): string[] {
  const there = new Set(wanted);
  const before = new Set(shown);
  return [...shown.filter((id) => there.has(id)), ...wanted.filter((id) => !before.has(id))];
}
