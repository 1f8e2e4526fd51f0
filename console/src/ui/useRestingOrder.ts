import { computed, onBeforeUnmount, ref, watch, type ComputedRef, type Ref } from "vue";

const REST_MS = 800;

/**
 * An order that rests while somebody points: nothing moves away under the pointer. `point` says that
 * somebody does, `settle` that nobody does any more; it happens by itself soon after the last `point`.
 */
export function useRestingOrder(wanted: () => readonly string[]): {
  order: Ref<readonly string[]>;
  isBehind: ComputedRef<boolean>;
  point: () => void;
  settle: () => void;
} {
  const order = ref<readonly string[]>(wanted());
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
  return { order, isBehind: computed(() => order.value.join() !== wanted().join()), point, settle };
}

/** Who left is gone, who is new comes last, everybody else stays. */
function resting(shown: readonly string[], wanted: readonly string[]): string[] {
  const there = new Set(wanted);
  const before = new Set(shown);
  return [...shown.filter((id) => there.has(id)), ...wanted.filter((id) => !before.has(id))];
}
