/** Colleagues' buyers whom one is asked to answer, as the inbox tells of them. Knows frames; must not know pages. */

import { momentOf, type Frame } from "./frames.ts";
import type { Store } from "./store.ts";
import type { Offer } from "./types.ts";

interface Listed {
  id: string;
  conversation: { id: string; buyer?: { name: string } };
  waiting_since: string;
  expires_at: string;
}

/** How one learns of whom a conversation is. */
export type Ask = (conversation: string) => Promise<{ buyer?: { name: string } }>;

export class Offers {
  constructor(
    private readonly store: Store,
    private readonly ask: Ask,
  ) {}

  /** Hear what the inbox says; most of it is about other things. */
  heard(frame: Frame): void {
    const { d = {} } = frame;
    if (frame.t === "snap") this.show(((d?.offers ?? []) as Listed[]).map(listed));
    else if (frame.type === "conversation.handoff_offered.v1" && d?.agent_id === this.store.state.me?.id) this.offered(d ?? {});
    else if (frame.type === "conversation.handoff_ended.v1") this.over((one) => one.id === d?.offer_id);
    else if (frame.type === "conversation.transferred.v1") this.over((one) => one.conversation === d?.conversation_id);
  }

  private offered(told: Record<string, unknown>): void {
    const offer: Offer = {
      id: String(told.offer_id),
      conversation: String(told.conversation_id),
      buyer: "",
      waitingSince: momentOf(String(told.waiting_since)) ?? 0,
      expiresAt: momentOf(String(told.expires_at)) ?? 0,
    };
    this.show([...this.all.filter((one) => one.id !== offer.id), offer]);
    // An event names nobody; without a name it can be accepted, too.
    void this.ask(offer.conversation).then((facts) => this.named(offer.id, facts.buyer?.name ?? ""), () => undefined);
  }

  private named(id: string, buyer: string): void {
    this.show(this.all.map((one) => (one.id === id ? { ...one, buyer } : one)));
  }

  private over(which: (one: Offer) => boolean): void {
    if (this.all.some(which)) this.show(this.all.filter((one) => !which(one)));
  }

  private get all(): readonly Offer[] {
    return this.store.state.offers;
  }

  private show(offers: readonly Offer[]): void {
    if (offers.length > 0 || this.all.length > 0) this.store.change({ offers });
  }
}

function listed({ id, conversation, waiting_since: since, expires_at: until }: Listed): Offer {
  return { id, conversation: conversation.id, buyer: conversation.buyer?.name ?? "", waitingSince: momentOf(since) ?? 0, expiresAt: momentOf(until) ?? 0 };
}
