/** What leaders are told, as the monitor lists it: newest first, and who took care of it. */

import { computed, onBeforeUnmount, onMounted, shallowRef, watch, type ComputedRef, type Ref } from "vue";

import type { Problem } from "@/core/types.ts";
import { useLive } from "@/live.ts";

/** Alerts come in bursts: the list is asked for once in so long at most. */
const PAUSE_MS = 1_500;
/** What is asked for at first; what comes later is listed from the oldest of these on. */
const SHOWN = 50;
const AT_MOST = 200;

export interface Hit {
  category: string;
  surface: string;
  start: number;
  end: number;
}

export interface Violation {
  id: string;
  kind: "block" | "confirm" | "agent" | "buyer" | "waiting";
  conversation: string;
  /** Who wrote it, or who had the buyer when he had waited so long; empty: nobody. */
  person: string;
  at: number;
  categories: readonly string[];
  phrases: readonly string[];
  /** The whole text, of a held message alone. */
  text: string;
  /** The agent meant what the gate asked about, and why; empty: his client asked for no reason. */
  meant: string | null;
  /** How long the buyer had waited. */
  threshold: number | null;
  /** Who took care of it first. */
  done: Opinion | null;
  /** What people made of it, the latest first. */
  feedback: readonly Opinion[];
}

export interface Opinion {
  name: string;
  verdict: "handled" | "not_abusive";
  note: string;
  at: number;
}

export interface RawOpinion extends Omit<Opinion, "at"> {
  at: string;
}

export interface RawAlert {
  id: string;
  kind: "waiting" | "flag" | "incident";
  at: string;
  conversation_id: string;
  person_id: string | null;
  speaker: "agent" | "buyer" | null;
  action: "block" | "confirm" | null;
  threshold_s: number | null;
  categories: string[];
  hits: Hit[];
  text: string | null;
  confirmed: { reason: string | null } | null;
  acknowledged: RawOpinion | null;
  feedback: RawOpinion[];
}

/** Return what was found, each place once: one word may be hit by several rules, as a whole and in part. */
export function phrases(hits: readonly Hit[]): string[] {
  const found: Hit[] = [];
  for (const hit of [...hits].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = found.at(-1);
    if (last === undefined || hit.start >= last.end) found.push({ ...hit });
    else if (hit.end > last.end) {
      // Places count code points, as the service does.
      last.surface += Array.from(hit.surface).slice(last.end - hit.start).join("");
      last.end = hit.end;
    }
  }
  return [...new Set(found.map((hit) => hit.surface))];
}

export function ofAlert(raw: RawAlert): Violation {
  return {
    id: raw.id,
    kind: raw.action ?? raw.speaker ?? "waiting",
    conversation: raw.conversation_id,
    person: raw.person_id ?? "",
    at: Date.parse(raw.at),
    categories: raw.categories,
    phrases: phrases(raw.hits),
    text: raw.text ?? "",
    meant: raw.confirmed === null ? null : (raw.confirmed.reason ?? ""),
    threshold: raw.threshold_s,
    done: raw.acknowledged === null ? null : ofOpinion(raw.acknowledged),
    feedback: raw.feedback.map(ofOpinion),
  };
}

export function ofOpinion(raw: RawOpinion): Opinion {
  return { name: raw.name, verdict: raw.verdict, note: raw.note, at: Date.parse(raw.at) };
}

export interface Violations {
  list: ComputedRef<readonly Violation[]>;
  status: Ref<"asked" | "known" | "failed">;
  again: () => Promise<void>;
}

/** The newest of a shop, asked for anew whenever something was held or flagged. */
export function useViolations(changes: () => unknown): Violations {
  const { core, live } = useLive();
  const found = shallowRef<readonly Violation[]>([]);
  const status = shallowRef<"asked" | "known" | "failed">("asked");
  let soon: ReturnType<typeof setTimeout> | undefined;

  /** List from the oldest that is shown on: what was missed without a connection is in it, and what became of the rest. */
  async function again(): Promise<void> {
    const known = found.value[Math.min(found.value.length, SHOWN) - 1];
    try {
      found.value = (await listed(known?.id)).map(ofAlert);
      status.value = "known";
    } catch {
      status.value = "failed";
    }
  }

  async function listed(after?: string): Promise<RawAlert[]> {
    const query = after === undefined ? `?limit=${SHOWN}` : `?limit=${AT_MOST}&after=${encodeURIComponent(after)}`;
    try {
      return ((await core.get(`/v1/monitor/alerts${query}`)) as { items: RawAlert[] }).items;
    } catch (refused) {
      // What one knew is forgotten by now.
      if (after !== undefined && (refused as Problem).code === "not_found") return listed();
      throw refused;
    }
  }

  function later(): void {
    soon ??= setTimeout(() => {
      soon = undefined;
      void again();
    }, PAUSE_MS);
  }

  onMounted(again);
  watch([() => live.alerts, () => live.connection, changes], later);
  onBeforeUnmount(() => clearTimeout(soon));
  return { list: computed(() => found.value), status, again };
}
