import { ref, shallowRef, type Ref } from "vue";

import type { Frame } from "@/core/frames.ts";
import { described, withOlder, type Described } from "@/core/threads.ts";
import type { Conversation } from "@/core/types.ts";
import { useLive } from "@/live.ts";

interface Page {
  items: Frame[];
  next_cursor: string | null;
  previous_cursor?: string | null;
}

const PAGE = 60;

export interface Around {
  /** Undefined until it was answered; null: it cannot be read. */
  shown: Readonly<Ref<Conversation | null | undefined>>;
  hasNewer: Readonly<Ref<boolean>>;
  older(): Promise<void>;
  newer(): Promise<void>;
}

/** A conversation as it stands in the archive around one of its messages, and what one asks for of the rest. */
export function useAround(conversation: string, message: string): Around {
  const { core } = useLive();
  const shown = shallowRef<Conversation | null>();
  const hasNewer = ref(false);
  const path = `/v1/conversations/${conversation}`;
  const cursors: { older: string | null; newer: string | null } = { older: null, newer: null };

  function add(known: Conversation, page: Page): void {
    const next = withOlder(known, page.items);
    // Nothing of it is on its way: each is known by the id that the archive has.
    const items = next.items.map((item) => ({ ...item, clientId: null }));
    hasNewer.value = cursors.newer !== null;
    shown.value = { ...next, items, maySend: false, older: cursors.older === null ? "none" : "more" };
  }

  async function begin(): Promise<void> {
    try {
      const [facts, page] = (await Promise.all([core.get(path), core.get(`${path}/messages?around=${message}&limit=${PAGE}`)])) as [Described, Page];
      cursors.older = page.next_cursor;
      cursors.newer = page.previous_cursor ?? null;
      add(described(undefined, facts), page);
    } catch {
      shown.value = null;
    }
  }

  async function further(way: "older" | "newer"): Promise<void> {
    const known = shown.value;
    const cursor = cursors[way];
    if (!known || cursor === null) return;
    cursors[way] = null;
    try {
      const page = (await core.get(`${path}/messages?limit=${PAGE}&order=${way === "older" ? "desc" : "asc"}&cursor=${encodeURIComponent(cursor)}`)) as Page;
      cursors[way] = page.next_cursor;
      add(shown.value ?? known, page);
    } catch {
      cursors[way] = cursor;
      if (way === "older") shown.value = { ...(shown.value ?? known), older: "failed" };
    }
  }

  void begin();
  return { shown, hasNewer, older: () => further("older"), newer: () => further("newer") };
}
