/** What stands before the place's name in the window's title: `(3) 3:12` while buyers wait. */

import { readonly, shallowRef, type Ref } from "vue";

const before = shallowRef("");

export function useTitle(): Readonly<Ref<string>> {
  return readonly(before);
}

/** Put a count and a time before the title, never a name; empty takes it away. */
export function setTitle(words: string): void {
  before.value = words;
}
