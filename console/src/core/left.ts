/**
 * Rows that left: who ceases to be one's own is shown a little longer, with the reason, and as long as
 * words stand in it that were not sent. Knows no frames.
 */

import type { Clock } from "./clock.ts";
import { isOnItsWay, noteKey } from "./noting.ts";
import { without, type Store } from "./store.ts";
import type { Conversation, Left } from "./types.ts";

export const SHOWN_MS = 5_000;

export class Departures {
  private readonly timers = new Map<string, () => void>();

  /** `over` is called when a row is shown no longer. */
  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly over: (id: string) => void,
  ) {}

  left(conversation: Conversation, how: Pick<Left, "reason" | "toAgent" | "toGroup" | "by">): void {
    const { conversations, left } = this.store.state;
    const { id } = conversation;
    const { reason, toAgent, toGroup, by } = how;
    const row: Left = { conversation: { ...conversation, maySend: false }, reason, toAgent, toGroup, by, at: this.clock.now() };
    this.store.change({ conversations: without(conversations, id), left: { ...left, [id]: row } });
    this.showLonger(id);
  }

  /** It is one's own again. */
  returned(id: string): void {
    this.timers.get(id)?.();
    this.timers.delete(id);
    if (this.store.state.left[id] !== undefined) this.store.change({ left: without(this.store.state.left, id) });
  }

  clear(): void {
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
  }

  private showLonger(id: string): void {
    this.timers.get(id)?.();
    this.timers.set(id, this.clock.after(SHOWN_MS, () => (this.holdsWords(id) ? this.showLonger(id) : this.end(id))));
  }

  private holdsWords(id: string): boolean {
    const { outbox, drafts, notes, displaced, refusals } = this.store.state;
    const keys = [id, noteKey(id)];
    const isTyped = [drafts, notes, displaced].some((kept) => keys.some((key) => Boolean(kept[key])));
    return isTyped || isOnItsWay(outbox, id) || keys.some((key) => refusals[key] !== undefined);
  }

  private end(id: string): void {
    this.returned(id);
    this.over(id);
  }
}
