import { computed, onBeforeUnmount, onMounted, ref, type ComputedRef, type Ref } from "vue";

/** Rows beyond the edges that are drawn too, so that scrolling shows no gaps. */
const BEYOND = 8;
/** Shown before the list has been measured: a screen's worth. */
const AT_FIRST = 40;

/** Which of many rows of one height are to be drawn in a list that scrolls: `[from, to)`. */
export function useVisibleRows(box: Ref<HTMLElement | null>, count: () => number, rowHeight: number): ComputedRef<{ from: number; to: number }> {
  const top = ref(0);
  const height = ref(AT_FIRST * rowHeight);
  let watcher: ResizeObserver | undefined;

  const measure = () => {
    top.value = box.value?.scrollTop ?? 0;
    if (box.value?.clientHeight) height.value = box.value.clientHeight;
  };
  onMounted(() => {
    box.value?.addEventListener("scroll", measure, { passive: true });
    watcher = new ResizeObserver(measure);
    if (box.value !== null) watcher.observe(box.value);
    measure();
  });
  onBeforeUnmount(() => watcher?.disconnect());

  return computed(() => {
    const from = Math.max(0, Math.floor(top.value / rowHeight) - BEYOND);
    return { from, to: Math.min(count(), Math.ceil((top.value + height.value) / rowHeight) + BEYOND) };
  });
}
