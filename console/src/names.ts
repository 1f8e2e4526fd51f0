import { onMounted, shallowRef, watch, type Ref } from "vue";

import { useLive } from "@/live.ts";

const PAGE = 200;
/** The largest shop that is planned for has 5,000 people; beyond that some are nameless here. */
const PAGES = 25;

interface Page {
  items: { id: string; name: string }[];
  next_cursor?: string | null;
}

type Names = ReadonlyMap<string, string>;

/** Who is met in a thread and not known then may have been hired meanwhile; who was dismissed never is. */
const AGAIN_MS = 60_000;
const met = shallowRef<Names>(new Map());
let askedAt = -Infinity;

/** The names of a shop's staff, by their ids: asked for once, for names seldom change. */
export function useNames(isWanted: boolean): Readonly<Ref<Names>> {
  const names = shallowRef<Names>(new Map());
  // Who cannot be asked for leaves the rest of a page as it is.
  onMounted(() => void (isWanted && ask(names).catch(() => undefined)));
  return names;
}

/** The names of colleagues whom one meets, by their ids: asked for when the first one comes who is not known. */
export function useMet(ids: () => readonly string[]): Readonly<Ref<Names>> {
  watch(
    ids,
    (wanted) => {
      if (Date.now() - askedAt < AGAIN_MS || wanted.every((id) => met.value.has(id))) return;
      askedAt = Date.now();
      ask(met).catch(() => undefined);
    },
    { immediate: true },
  );
  return met;
}

async function ask(names: Ref<Names>): Promise<void> {
  const { core } = useLive();
  let cursor: string | null = "";
  for (let pages = 0; cursor !== null && pages < PAGES; pages += 1) {
    const after: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = (await core.get(`/v1/agents?limit=${PAGE}${after}`)) as Page;
    names.value = new Map([...names.value, ...page.items.map((one) => [one.id, one.name] as const)]);
    cursor = page.next_cursor ?? null;
  }
}
