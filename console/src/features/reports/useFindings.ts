/** The flags behind a report, page by page, and what one makes of them. */

import { ref, shallowRef, watch, type Ref } from "vue";

import { useLive } from "@/live.ts";

import type { Finding, Opinion } from "./reception.ts";

interface Page {
  items: Finding[];
  next_cursor: string | null;
}

export interface Findings {
  list: Readonly<Ref<readonly Finding[]>>;
  status: Readonly<Ref<"asked" | "known" | "failed">>;
  hasMore: Readonly<Ref<boolean>>;
  more(): Promise<void>;
  judge(finding: Finding, verdict: Opinion["verdict"]): Promise<void>;
}

/** `query` says which days and which rule; another one begins the list anew. */
export function useFindings(query: () => string): Findings {
  const { core } = useLive();
  const list = shallowRef<readonly Finding[]>([]);
  const status = ref<"asked" | "known" | "failed">("asked");
  const hasMore = ref(false);
  let cursor: string | null = null;
  let asking = 0;

  async function ask(from: string | null): Promise<void> {
    asking += 1;
    const mine = asking;
    status.value = "asked";
    try {
      const after = from === null ? "" : `&cursor=${encodeURIComponent(from)}`;
      const page = (await core.get(`/v1/monitor/reception?${query()}${after}`)) as Page;
      if (mine !== asking) return;
      list.value = from === null ? page.items : [...list.value, ...page.items];
      cursor = page.next_cursor;
      hasMore.value = cursor !== null;
      status.value = "known";
    } catch {
      if (mine === asking) status.value = "failed";
    }
  }

  async function judge(finding: Finding, verdict: Opinion["verdict"]): Promise<void> {
    const path = `/v1/monitor/reception/${encodeURIComponent(finding.id)}/feedback`;
    const told = (await core.call("POST", path, { verdict }, { key: crypto.randomUUID() })) as Opinion;
    list.value = list.value.map((one) => {
      if (one.id !== finding.id) return one;
      const feedback = [told, ...one.feedback.filter((other) => other.person_id !== told.person_id)];
      return { ...one, feedback, counts: !feedback.some((other) => other.verdict === "not_bad" && other.person_id !== one.agent_id) };
    });
  }

  watch(query, () => ask(null), { immediate: true });
  return { list, status, hasMore, more: () => ask(cursor), judge };
}
