/**
 * Small things that a browser keeps for its pages. Some browsers keep nothing, in private windows or by
 * somebody's wish, and say so by throwing: then they last as long as the page.
 */

export interface Storing {
  get(key: string): string | null;
  set(key: string, value: string): void;
}

function storing(place: () => Storage): Storing {
  const meanwhile = new Map<string, string>();
  return {
    get(key) {
      try {
        return place().getItem(key) ?? meanwhile.get(key) ?? null;
      } catch {
        return meanwhile.get(key) ?? null;
      }
    },
    set(key, value) {
      try {
        place().setItem(key, value);
        meanwhile.delete(key);
      } catch {
        meanwhile.set(key, value);
      }
    },
  };
}

/** Of this tab alone. */
export const ofTab = storing(() => sessionStorage);
/** Of every tab. */
export const ofBrowser = storing(() => localStorage);
