/** The rounds or sessions that a number of today counts, page by page, asked for anew as it changes. */

import { onBeforeUnmount, shallowRef, watch, type Ref } from "vue";

import { useLive } from "@/live.ts";

import type { Counted, Outcome } from "./drills.ts";

const PAGE = 50;
/** A board may change twice a second. */
const PAUSE_MS = 1_500;

export interface CountedRow {
  conversation: string;
  agent: string | null;
  at: number;
  tookMs: number | null;
  outcome: Outcome;
}

interface Raw {
  conversation_id: string;
  agent_id: string | null;
  at: string;
  took_ms: number | null;
  outcome: Outcome;
}

interface Page {
  items: Raw[];
  next_cursor: string | null;
}

export interface CountedList {
  rows: Ref<readonly CountedRow[]>;
  status: Ref<"asked" | "known" | "failed">;
  /** Whether there are more than are shown. */
  hasMore: Ref<boolean>;
  more: () => Promise<void>;
  again: () => Promise<void>;
}

/** `which` is what is asked for, by which profile and of which days, the last one excluded; `changes` differs as soon as the number does. */
export function useCounted(which: () => { what: Counted; profile: string; days: { from: string; to: string } }, changes: () => unknown): CountedList {
  const { core, live } = useLive();
  const rows = shallowRef<readonly CountedRow[]>([]);
  const status = shallowRef<"asked" | "known" | "failed">("asked");
  const hasMore = shallowRef(false);
  let next: string | null = null;
  let asking = 0;
  let soon: ReturnType<typeof setTimeout> | undefined;

  async function page(cursor: string | null): Promise<Page> {
    const { what, profile, days } = which();
    const query = new URLSearchParams({ shop: live.me?.shopId ?? "", profile, ...days, limit: `${PAGE}` });
    if (what.outcome !== null) query.set("outcome", what.outcome);
    if (what.agent !== null) query.set("agent", what.agent);
    if (cursor !== null) query.set("cursor", cursor);
    return (await core.get(`/v1/monitor/${what.of}?${query}`)) as Page;
  }

  /** Read as many pages as are shown: what is newer moved them. */
  async function again(): Promise<void> {
    asking += 1;
    const mine = asking;
    const wanted = Math.max(1, rows.value.length);
    const found: CountedRow[] = [];
    try {
      let cursor: string | null = null;
      do {
        const told: Page = await page(cursor);
        if (mine !== asking) return;
        found.push(...told.items.map(rowOf));
        cursor = told.next_cursor;
      } while (cursor !== null && found.length < wanted);
      take(found, cursor);
    } catch {
      if (mine === asking) status.value = "failed";
    }
  }

  async function more(): Promise<void> {
    if (next === null) return;
    asking += 1;
    const mine = asking;
    try {
      const told = await page(next);
      if (mine === asking) take([...rows.value, ...told.items.map(rowOf)], told.next_cursor);
    } catch {
      if (mine === asking) status.value = "failed";
    }
  }

  function take(found: readonly CountedRow[], cursor: string | null): void {
    rows.value = found;
    next = cursor;
    hasMore.value = cursor !== null;
    status.value = "known";
  }

  watch(
    () => {
      // The shop's day ends, and its zone may be told later than the page is opened.
      const { what, profile, days } = which();
      return [what.of, what.outcome, what.agent, profile, days.from, days.to].join(" ");
    },
    () => {
      rows.value = [];
      hasMore.value = false;
      status.value = "asked";
      void again();
    },
    { immediate: true },
  );
  watch(changes, () => {
    soon ??= setTimeout(() => {
      soon = undefined;
      void again();
    }, PAUSE_MS);
  });
  onBeforeUnmount(() => {
    clearTimeout(soon);
    asking += 1;
  });
  return { rows, status, hasMore, more, again };
}

function rowOf(raw: Raw): CountedRow {
  return { conversation: raw.conversation_id, agent: raw.agent_id, at: Date.parse(raw.at), tookMs: raw.took_ms, outcome: raw.outcome };
}
