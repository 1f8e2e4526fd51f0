import { onMounted, shallowRef, type Ref } from "vue";

import { useLive } from "@/live.ts";

const PAGE = 200;
/** The largest shop that is planned for has 5,000 people; beyond that some are nameless here. */
const PAGES = 25;

interface Page {
  items: { id: string; name: string }[];
  next_cursor?: string | null;
}

/** The names of a shop's staff, by their ids: asked for once, for names seldom change. */
export function useNames(isWanted: boolean): Readonly<Ref<ReadonlyMap<string, string>>> {
  const { core } = useLive();
  const names = shallowRef<ReadonlyMap<string, string>>(new Map());

  async function ask(): Promise<void> {
    let cursor: string | null = "";
    for (let pages = 0; cursor !== null && pages < PAGES; pages += 1) {
      const after: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = (await core.get(`/v1/agents?limit=${PAGE}${after}`)) as Page;
      names.value = new Map([...names.value, ...page.items.map((one) => [one.id, one.name] as const)]);
      cursor = page.next_cursor ?? null;
    }
  }

  // Who cannot be asked for leaves the rest of a page as it is.
  onMounted(() => void (isWanted && ask().catch(() => undefined)));
  return names;
}
