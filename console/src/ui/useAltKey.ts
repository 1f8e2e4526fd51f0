import { onMounted, onUnmounted } from "vue";

/** How long an input method still owns its keys after it has ended: some send the last one late. */
const SETTLED_MS = 30;

/**
 * Do something on Alt and a key, named by its place on the keyboard (`KeyS`), while the component is
 * shown. Whoever writes with an input method keeps every key.
 */
export function useAltKey(code: string, action: () => void): void {
  let composedAt = -Infinity;
  const composed = () => (composedAt = performance.now());
  const pressed = (event: KeyboardEvent) => {
    const isOthers = event.code !== code || !event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    if (isOthers || event.isComposing || performance.now() - composedAt < SETTLED_MS) return;
    event.preventDefault();
    action();
  };
  onMounted(() => {
    addEventListener("keydown", pressed);
    addEventListener("compositionend", composed);
  });
  onUnmounted(() => {
    removeEventListener("keydown", pressed);
    removeEventListener("compositionend", composed);
  });
}
