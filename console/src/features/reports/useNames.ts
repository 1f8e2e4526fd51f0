/** Agents' names by id, for as long as a page shows them. */

import { onMounted, shallowRef, type Ref } from "vue";

import { useLive } from "@/live.ts";

const PAGE = 200;

interface Page {
  items: { id: string; name: string }[];
  next_cursor: string | null;
}

export function useNames(): Ref<ReadonlyMap<string, string>> {
  const { core } = useLive();
  const names = shallowRef<ReadonlyMap<string, string>>(new Map());

  async function ask(): Promise<void> {
    const found = new Map<string, string>();
    let cursor: string | null = null;
    do {
      const after: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = (await core.get(`/v1/agents?limit=${PAGE}${after}`)) as Page;
      for (const { id, name } of page.items) found.set(id, name);
      cursor = page.next_cursor;
    } while (cursor !== null);
    names.value = found;
  }
  onMounted(() => void ask().catch(() => undefined));
  return names;
}
