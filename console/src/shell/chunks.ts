/**
 * Parts of the console that are fetched later, and what happens when a deploy took them away.
 *
 * While a deploy rolls, two versions answer behind one name, so a part that is missing is asked for
 * again before anybody is told. All parts are fetched when the page is idle: a tab that has them all
 * survives any deploy.
 */

import { readonly, shallowRef, type Ref } from "vue";

const TRIES = 3;
const PAUSE_MS = 1_000;

const stale = shallowRef(false);

/** Whether there is a newer version than the one this page is of, so that it must be loaded anew. */
export function useStale(): Readonly<Ref<boolean>> {
  return readonly(stale);
}

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** Return a loader that tries three times more; then there is a newer version, and it rejects. */
export function lazily<Part>(load: () => Promise<Part>): () => Promise<Part> {
  return async () => {
    for (let tries = 0; ; tries += 1) {
      try {
        return await load();
      } catch (error) {
        if (tries === TRIES) {
          stale.value = true;
          throw error;
        }
        await pause();
      }
    }
  };
}

/** Fetch everything that was not needed yet, once nothing else is to be done. */
export function fetchAtIdle(loaders: readonly (() => Promise<unknown>)[]): void {
  const idle = globalThis.requestIdleCallback ?? ((then: () => void) => setTimeout(then, PAUSE_MS));
  idle(async () => {
    for (const load of loaders) await load().catch(() => undefined);
  });
}
