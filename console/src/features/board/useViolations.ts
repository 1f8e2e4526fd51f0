/** Held messages and flagged ones, as the monitor lists them: newest first. */

import { computed, onBeforeUnmount, onMounted, shallowRef, watch, type ComputedRef, type Ref } from "vue";

import { useLive } from "@/live.ts";

/** Alerts come in bursts: the lists are asked for once in so long at most. */
const PAUSE_MS = 1_500;
const SHOWN = 20;

export interface Hit {
  category: string;
  surface: string;
  start: number;
  end: number;
}

export interface Violation {
  id: string;
  kind: "block" | "confirm" | "agent" | "buyer";
  conversation: string;
  /** Who wrote it. */
  person: string;
  at: number;
  categories: readonly string[];
  phrases: readonly string[];
  /** The whole text, of a held message alone. */
  text: string;
  /** The agent meant what the gate asked about, and why; empty: his client asked for no reason. */
  meant: string | null;
}

interface RawFlag {
  message_id: string;
  conversation_id: string;
  sender_id: string;
  speaker: "agent" | "buyer";
  at: string;
  categories: string[];
  hits: Hit[];
}

interface RawIncident {
  incident_id: string;
  conversation_id: string;
  agent_id: string;
  action: "block" | "confirm";
  text: string;
  categories: string[];
  hits: Hit[];
  held_at: string;
  /** Absent from an older monitor. */
  confirmed?: { reason: string | null } | null;
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

export function ofFlag(raw: RawFlag): Violation {
  return { id: raw.message_id, kind: raw.speaker, conversation: raw.conversation_id, person: raw.sender_id, at: Date.parse(raw.at), categories: raw.categories, phrases: phrases(raw.hits), text: "", meant: null };
}

export function ofIncident(raw: RawIncident): Violation {
  const meant = raw.confirmed ? (raw.confirmed.reason ?? "") : null;
  return { id: raw.incident_id, kind: raw.action, conversation: raw.conversation_id, person: raw.agent_id, at: Date.parse(raw.held_at), categories: raw.categories, phrases: phrases(raw.hits), text: raw.text, meant };
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

  async function again(): Promise<void> {
    const query = `?shop=${encodeURIComponent(live.me?.shopId ?? "")}&limit=${SHOWN}`;
    try {
      const [flags, incidents] = (await Promise.all([core.get(`/v1/monitor/flags${query}`), core.get(`/v1/monitor/incidents${query}`)])) as [
        { items: RawFlag[] },
        { items: RawIncident[] },
      ];
      found.value = [...flags.items.map(ofFlag), ...incidents.items.map(ofIncident)].sort((a, b) => b.at - a.at);
      status.value = "known";
    } catch {
      status.value = "failed";
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
