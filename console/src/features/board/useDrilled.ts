/** The conversations behind a figure, asked for again while they are shown. */

import { computed, onBeforeUnmount, shallowRef, watch, type ComputedRef, type Ref } from "vue";

import type { Board } from "@/core/boards.ts";
import { useLive } from "@/live.ts";

import type { Conversations } from "./useConversations.ts";

const AGAIN_MS = 5_000;
/** The most that one page of a list has. */
const LIMIT = 200;
/** Of so many, last words are kept fresh. */
const FRESH = 20;

export interface Drilled {
  conversation: string;
  agent: string | null;
  since: number | null;
}

interface View {
  id: string;
  agent_id: string | null;
  waiting_since: string | null;
}

interface Waiting {
  items: { conversation_id: string; agent_id: string | null; waiting_since: string }[];
}

type Fetched = { rows: readonly Drilled[]; isWhole: boolean };

export function useDrilled(
  drill: () => string,
  board: () => Board,
  conversations: Conversations,
): { rows: ComputedRef<readonly Drilled[]>; status: Ref<"asked" | "known" | "failed">; isWhole: ComputedRef<boolean>; again: () => Promise<void> } {
  const { core, live } = useLive();
  const fetched = shallowRef<Fetched>({ rows: [], isWhole: true });
  const status = shallowRef<"asked" | "known" | "failed">("asked");

  const waits = computed(() => new Map(board().longest.map((one) => [one.conversation, one.since])));
  /** Who waits stands on the board already, the first twenty at least. */
  const isOnBoard = computed(() => drill() === "waiting" && board().longest.length >= board().waiting);
  const rows = computed(() => {
    if (drill() !== "waiting") return fetched.value.rows;
    // The board is newer than what was fetched: of that only who came later than those on the board counts.
    const { longest, waiting } = board();
    const last = longest.at(-1)?.since ?? 0;
    return [...longest, ...fetched.value.rows.filter((one) => (one.since ?? 0) > last)].slice(0, waiting);
  });

  async function read(what: string): Promise<Fetched> {
    if (what === "waiting") {
      const found = (await core.get(`/v1/monitor/waiting?shop=${encodeURIComponent(live.me?.shopId ?? "")}&limit=${LIMIT}`)) as Waiting;
      const items = found.items.map((one) => ({ conversation: one.conversation_id, agent: one.agent_id, since: Date.parse(one.waiting_since) }));
      return { rows: items, isWhole: items.length < LIMIT };
    }
    const agent = what.startsWith("agent:") ? `&agent_id=${encodeURIComponent(what.slice("agent:".length))}` : "";
    const lists = agent === "" ? ["view=queue", "view=team"] : ["state=assigned"];
    const pages = (await Promise.all(lists.map((list) => core.get(`/v1/conversations?${list}${agent}&limit=${LIMIT}`)))) as { items: View[]; next_cursor: string | null }[];
    const items = pages.flatMap((page) => page.items).map((one) => ({ conversation: one.id, agent: one.agent_id, since: waits.value.get(one.id) ?? null }));
    items.sort((a, b) => (a.since ?? Infinity) - (b.since ?? Infinity) || 0);
    return { rows: items, isWhole: pages.every((page) => page.next_cursor === null) };
  }

  async function again(): Promise<void> {
    const what = drill();
    if (what !== "waiting" && what !== "open" && !what.startsWith("agent:")) return;
    try {
      if (!isOnBoard.value) {
        const found = await read(what);
        if (drill() !== what) return;
        fetched.value = found;
      }
      status.value = "known";
      conversations.want(rows.value.slice(0, FRESH).map((row) => row.conversation), true);
    } catch {
      status.value = "failed";
    }
  }

  watch(
    drill,
    () => {
      fetched.value = { rows: [], isWhole: true };
      status.value = "asked";
      void again();
    },
    { immediate: true },
  );
  const every = setInterval(again, AGAIN_MS);
  onBeforeUnmount(() => clearInterval(every));
  return { rows, status, isWhole: computed(() => isOnBoard.value || fetched.value.isWhole), again };
}
