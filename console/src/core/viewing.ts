/**
 * Who looks at a conversation: said while a page shows it, and told of others of staff. Lossy: said
 * again with every look, and forgotten by the platform when nobody says it any more.
 */

import type { Clock } from "./clock.ts";
import type { Frame, Outgoing } from "./frames.ts";
import { without, type Store } from "./store.ts";
import type { Viewer } from "./types.ts";

/** Pages say every 15 s that they look; for so long a look holds here. */
const HOLDS_MS = 20_000;

export class Viewing {
  private readonly until = new Map<string, number>();

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly write: (frame: Outgoing) => void,
  ) {}

  look(id: string): void {
    // Whom one looked at before is not looked at any more: there is one thread on a screen.
    for (const [other, until] of this.until) if (until < this.clock.now()) this.until.delete(other);
    this.until.set(id, this.clock.now() + HOLDS_MS);
    this.say(id);
  }

  /** Nobody looks any more: without this word others would see him for another half minute. */
  away(id: string): void {
    if (this.until.delete(id)) this.say(id, false);
  }

  /** The platform follows it from now on: what was said before that it did not hear. */
  joined(id: string): void {
    this.show(id, []);
    if ((this.until.get(id) ?? 0) >= this.clock.now()) this.say(id);
  }

  /** Take who looks from a patch; false if it says nothing of that. */
  told(id: string, frame: Frame): boolean {
    if (frame.k !== "viewers") return false;
    const { me } = this.store.state;
    const all = (frame.d?.viewers ?? []) as Viewer[];
    this.show(id, all.filter((one) => one.id !== me?.id));
    return true;
  }

  clear(): void {
    this.until.clear();
  }

  private say(id: string, on = true): void {
    this.write({ t: "viewing", s: `conv:${id}`, on });
  }

  private show(id: string, viewers: readonly Viewer[]): void {
    const known = this.store.state.viewers;
    if (viewers.length > 0) this.store.change({ viewers: { ...known, [id]: viewers } });
    else if (known[id] !== undefined) this.store.change({ viewers: without(known, id) });
  }
}
