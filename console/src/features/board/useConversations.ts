/** What is told of conversations that are not one's own, asked for many at once and remembered. */

import { reactive } from "vue";

import type { Problem } from "@/core/types.ts";
import { useLive } from "@/live.ts";

/** So many are asked for at once, as many as the platform answers; the others wait. */
const AT_ONCE = 50;
/** Refused by one of these, a conversation is not for this person. */
const NEVER = ["forbidden", "not_found"];

export interface Told {
  buyer: string;
  agent: string | null;
  state: string;
  /** What was said last; empty for an image or a card. */
  words: string;
  by: string;
  at: number | null;
}

interface View {
  id: string;
  buyer: { name: string };
  agent_id: string | null;
  state: string;
  head?: { by: string; preview: string; at: string } | null;
}

export type Conversations = ReturnType<typeof useConversations>;

export function useConversations() {
  const { core } = useLive();
  /** Null: it cannot be had. */
  const told = reactive(new Map<string, Told | null>());
  const queue: string[] = [];
  const asked = new Set<string>();
  let isBusy = false;

  async function ask(ids: readonly string[]): Promise<void> {
    try {
      const page = (await core.get(`/v1/conversations?ids=${ids.join(",")}`)) as { items: readonly View[] };
      const found = new Map(page.items.map((one) => [one.id, one]));
      for (const id of ids) told.set(id, toldOf(found.get(id)));
    } catch (error) {
      // Only a refusal says that there is nothing to tell; who could not be asked is asked again.
      const isRefused = NEVER.includes((error as Partial<Problem>).code ?? "");
      for (const id of ids) {
        if (isRefused) told.set(id, null);
        else asked.delete(id);
      }
    }
  }

  async function work(): Promise<void> {
    if (isBusy) return;
    isBusy = true;
    // What is wanted in one turn is asked for at once.
    await Promise.resolve();
    while (queue.length > 0) await ask(queue.splice(0, AT_ONCE));
    isBusy = false;
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

function toldOf(view: View | undefined): Told | null {
  if (view === undefined) return null;
  const { buyer, agent_id, state, head = null } = view;
  return { buyer: buyer.name, agent: agent_id, state, words: head?.preview ?? "", by: head?.by ?? "", at: head === null ? null : Date.parse(head.at) };
}
