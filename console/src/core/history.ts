/** What was said before the first item of a thread: pages of the history, put in front. Knows REST. */

import { compare, type Frame } from "./frames.ts";
import type { Call } from "./reception.ts";
import type { Store } from "./store.ts";
import type { Conversation, Position } from "./types.ts";

const PAGE = 100;
/** A page that holds only what is known is no answer; after so many, the next request goes on. */
const PAGES = 8;

interface Page {
  items: Frame[];
  next_cursor: string | null;
}

/** Pages go from the end of the log backwards; `reached` is where the last one ended. */
interface Place {
  cursor: string;
  reached: Position;
}

export class History {
  private places = new Map<string, Place>();

  constructor(
    private readonly store: Store,
    private readonly call: Call,
    private readonly add: (id: string, frames: readonly Frame[]) => void,
  ) {}

  clear(): void {
    this.places = new Map();
  }

  /** Fetch what stands before the first item of a conversation, unless that is being done. */
  async older(id: string): Promise<void> {
    const asked = this.store.state.conversations[id];
    if (asked === undefined || asked.older === "loading" || asked.older === "none") return;
    this.store.patch(id, { older: "loading" });
    const { places } = this;
    let older: Conversation["older"];
    try {
      older = await this.fetched(id, asked.items[0]?.position ?? null);
    } catch {
      older = "failed";
    }
    const isWanted = places === this.places && this.store.state.conversations[id]?.older === "loading";
    if (isWanted) this.store.patch(id, { older });
  }

  private async fetched(id: string, first: Position | null): Promise<Conversation["older"]> {
    let place = this.places.get(id);
    // The thread was cut, or begun anew, behind where the last page ended: only the whole way leads there.
    if (place !== undefined && first !== null && compare(place.reached, first) < 0) place = undefined;
    for (let pages = 0; pages < PAGES; pages += 1) {
      const page = await this.page(id, place?.cursor ?? null);
      if (!this.beginsAt(id, first)) {
        this.places.delete(id);
        return "more";
      }
      const last = page.items.at(-1)?.position;
      this.add(id, page.items.toReversed());
      if (page.next_cursor === null || last === undefined) {
        this.places.delete(id);
        return "none";
      }
      place = { cursor: page.next_cursor, reached: last };
      this.places.set(id, place);
      if (first === null || compare(last, first) < 0) return "more";
    }
    return "more";
  }

  /** Whether the thread still begins where it did when this page was asked for; else it would get a hole. */
  private beginsAt(id: string, first: Position | null): boolean {
    const now = this.store.state.conversations[id]?.items[0]?.position ?? null;
    return first === null || now === null ? first === now : compare(first, now) === 0;
  }

  private async page(id: string, cursor: string | null): Promise<Page> {
    const after = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    return (await this.call("GET", `/v1/conversations/${id}/messages?limit=${PAGE}${after}`)) as Page;
  }
}
