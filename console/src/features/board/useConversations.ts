/** What is told of conversations that are not one's own, asked for one by one and remembered. */

import { reactive } from "vue";

import type { Problem } from "@/core/types.ts";
import { useLive } from "@/live.ts";

/** So many are asked for at once; the others wait. */
const AT_ONCE = 4;
/** Refused by one of these, a conversation is not for this person. */
const NEVER = ["forbidden", "not_found"];
/** Behind the last words stand an assignment and a close at most. */
const LAST_ITEMS = 5;

export interface Told {
  buyer: string;
  agent: string | null;
  state: string;
  /** What was said last; empty for an image or a card. */
  words: string;
  by: string;
  at: number | null;
}

interface Item {
  type: string;
  time: string;
  d: { sender_kind?: string; d?: { text?: string } };
}

interface View {
  id: string;
  buyer: { name: string };
  agent_id: string | null;
  state: string;
}

export type Conversations = ReturnType<typeof useConversations>;

export function useConversations() {
  const { core } = useLive();
  /** Null: it cannot be had. */
  const told = reactive(new Map<string, Told | null>());
  const queue: string[] = [];
  const asked = new Set<string>();
  let running = 0;

  async function ask(id: string): Promise<void> {
    try {
      const [view, page] = (await Promise.all([
        core.get(`/v1/conversations/${id}`),
        core.get(`/v1/conversations/${id}/messages?limit=${LAST_ITEMS}`),
      ])) as [View, { items: Item[] }];
      const last = page.items.find((item) => item.type === "chat.message.v1");
      told.set(id, {
        buyer: view.buyer.name,
        agent: view.agent_id,
        state: view.state,
        words: last?.d.d?.text ?? "",
        by: last?.d.sender_kind ?? "",
        at: last === undefined ? null : Date.parse(last.time),
      });
    } catch (error) {
      // Only a refusal says that there is nothing to tell; who could not be asked is asked again.
      if (NEVER.includes((error as Partial<Problem>).code ?? "")) told.set(id, null);
      else asked.delete(id);
    }
  }

  async function work(): Promise<void> {
    if (running >= AT_ONCE) return;
    running += 1;
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) await ask(id);
    running -= 1;
  }

  /** See that something is told of these; `anew` asks again for what may have changed. */
  function want(ids: readonly string[], anew = false): void {
    for (const id of ids) {
      if (asked.has(id) && !anew) continue;
      asked.add(id);
      if (!queue.includes(id)) queue.push(id);
      void work();
    }
  }

  return { told, want };
}
