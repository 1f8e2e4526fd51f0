/** The shop's board for as long as a page shows it, with what the shop calls its profiles and rules. */

import { computed, onBeforeUnmount, onMounted, shallowRef, watch, type ComputedRef, type Ref } from "vue";
import { useI18n } from "vue-i18n";

import type { AgentTile, Board } from "@/core/boards.ts";
import { useLive } from "@/live.ts";

import { kept } from "./figures.ts";

/** A look holds for 45 s in the worker. */
const LOOK_EVERY_MS = 15_000;
const FACTS_AGAIN_MS = 5_000;

export interface Title {
  zh: string;
  en: string;
}

/** What `GET /v1/console` says, as far as a board shows it. */
export interface Facts {
  shop: { name: string; zone: string };
  profiles: readonly { name: string; title: Title; window: { start: string; end: string } }[];
  levels_profile: string | null;
  categories: readonly { code: string; zh: string; en: string }[];
}

/** Say again and again that somebody looks, from the first moment until the page goes. */
export function useLooking(look: () => Promise<void>, leave?: () => Promise<void>): void {
  const again = () => void look().catch(() => undefined);
  let every: ReturnType<typeof setInterval> | undefined;
  onMounted(() => {
    again();
    every = setInterval(again, LOOK_EVERY_MS);
  });
  onBeforeUnmount(() => {
    clearInterval(every);
    void leave?.().catch(() => undefined);
  });
}

export function useBoard(): { board: ComputedRef<Board | null>; status: ComputedRef<string>; through: ComputedRef<number | null> } {
  const { core, live } = useLive();
  let tiles = new Map<string, AgentTile>();
  useLooking(() => core.board());

  const board = computed(() => {
    const latest = live.board?.latest ?? null;
    if (latest === null) return null;
    const agents = kept(tiles, latest.agents);
    tiles = new Map(agents.map((tile) => [tile.id, tile]));
    return { ...latest, agents };
  });
  return { board, status: computed(() => live.board?.status ?? "asked"), through: computed(() => live.board?.through ?? null) };
}

/** Say a moment as the shop's clocks show it. */
export function useClock(facts: () => Facts | null): (at: number) => string {
  const { d } = useI18n();
  return (at) => {
    const zone = facts()?.shop.zone;
    return d(at, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", ...(zone === undefined ? {} : { timeZone: zone }) });
  };
}

/** The shop's names and rules, asked for until somebody answers. */
export function useFacts(): Ref<Facts | null> {
  const { core, live } = useLive();
  const facts = shallowRef<Facts | null>(null);
  let again: ReturnType<typeof setTimeout> | undefined;

  async function ask(): Promise<void> {
    clearTimeout(again);
    try {
      facts.value = (await core.get("/v1/console")) as Facts;
    } catch {
      again = setTimeout(ask, FACTS_AGAIN_MS);
    }
  }
  onMounted(ask);
  // After a lost connection there may be other rules.
  watch(
    () => live.connection,
    (now) => now === "connected" && void ask(),
  );
  onBeforeUnmount(() => clearTimeout(again));
  return facts;
}
