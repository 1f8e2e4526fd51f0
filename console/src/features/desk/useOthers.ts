import { onBeforeUnmount, onMounted, ref, shallowRef, type Ref } from "vue";

import type { Problem } from "@/core/types.ts";
import { useLive } from "@/live.ts";

import { pathOf, rowsOf, type Other, type Page, type View } from "./others.ts";

/** How often a list of one page is asked for; a longer one costs more, and is asked for as much more seldom. */
const EVERY_MS = 5_000;

export interface Others {
  /** Null until the platform answered once. */
  rows: Readonly<Ref<readonly Other[] | null>>;
  /** Why it could not be asked the last time; what is shown then is older. */
  problem: Readonly<Ref<Problem | null>>;
  /** Whether there is more behind the last row. */
  hasMore: Readonly<Ref<boolean>>;
  isBusy: Readonly<Ref<boolean>>;
  more(): Promise<void>;
  again(): Promise<void>;
}

/** A list of other people's conversations, for as long as it is on the screen. */
export function useOthers(view: View): Others {
  const { core, live } = useLive();
  const rows = shallowRef<readonly Other[] | null>(null);
  const problem = shallowRef<Problem | null>(null);
  const hasMore = ref(false);
  const isBusy = ref(false);
  let pages = 1;
  let isOver = false;
  let next: ReturnType<typeof setTimeout> | undefined;

  /** Read all pages anew that are shown: rows come and go anywhere in the list. */
  async function read(count: number): Promise<void> {
    const found: Other[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < count && (page === 0 || cursor !== null); page += 1) {
      const answer = (await core.get(pathOf(view, cursor))) as Page;
      found.push(...rowsOf(view, answer.items, live.me?.id ?? ""));
      cursor = answer.next_cursor;
    }
    // What moved from one page to another while they were read is in both.
    rows.value = [...new Map(found.map((one) => [one.id, one])).values()];
    hasMore.value = cursor !== null;
    problem.value = null;
  }

  async function ask(count = pages): Promise<void> {
    if (isBusy.value) return;
    clearTimeout(next);
    isBusy.value = true;
    try {
      await read(count);
      pages = count;
    } catch (error) {
      problem.value = { code: (error as Partial<Problem>).code ?? "unreachable", title: (error as Partial<Problem>).title ?? "" };
    }
    isBusy.value = false;
    if (!isOver) next = setTimeout(() => void look(), EVERY_MS * pages);
  }

  /** A page that nobody sees asks for nothing, and at once when it is seen again. */
  async function look(): Promise<void> {
    if (document.visibilityState !== "hidden") await ask();
  }

  const seen = () => void look();
  onMounted(() => {
    document.addEventListener("visibilitychange", seen);
    void ask();
  });
  onBeforeUnmount(() => {
    isOver = true;
    clearTimeout(next);
    document.removeEventListener("visibilitychange", seen);
  });

  return { rows, problem, hasMore, isBusy, more: () => ask(pages + 1), again: () => ask() };
}
