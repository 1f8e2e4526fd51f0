/**
 * What one wrote and is not in the log yet, and what one has not sent: kept in the browser's database
 * before a frame leaves, so that neither a reload nor a lost gateway costs a word.
 */

import type { Card } from "./cards.ts";
import type { Clock } from "./clock.ts";
import type { Database } from "./database.ts";
import { senderOf, type Frame, type Refused } from "./frames.ts";
import { conversationOf } from "./noting.ts";
import type { Outcomes, Stream } from "./stream.ts";
import { without, type Store } from "./store.ts";
import type { Hit, Pending } from "./types.ts";
import { uuid7 } from "./uuid.ts";

/** Messages whose findings are remembered. */
const WARNED = 200;
/** Of what other tabs replaced, so much is kept of a conversation: its end, several full messages. */
const DISPLACED = 20_000;

export class Outbox implements Outcomes {
  /** The person's, once he is known. */
  database: Database | null = null;

  /** The newest write of each conversation's draft: an older one says nothing about it any more. */
  private readonly writes = new Map<string, object>();

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly streamOf: (conversation: string) => Stream,
    private readonly streams: () => Iterable<Stream>,
  ) {}

  /** `id` names it for good: what is asked again, because nobody knows whether it was done, is one message. */
  async send(conversation: string, text: string, id = uuid7(this.clock.now()), isAgain = false, to?: string, image?: string): Promise<void> {
    if (isAgain && this.isKnown(conversation, id)) return;
    const pending: Pending = { id, conversation, text, firstTriedAt: this.clock.now(), written: isAgain, state: "queued", ...(to ? { to } : {}), ...(image ? { image } : {}) };
    // Words that were typed since, or in another tab, are none of this message's.
    const draft = this.store.state.drafts[conversation];
    await this.queue(pending, image !== undefined || (draft !== undefined && draft !== text));
  }

  /** Say a card; what stands in the composer is none of it. */
  async sendCard(conversation: string, card: Card, id = uuid7(this.clock.now()), isAgain = false): Promise<void> {
    if (this.isKnown(conversation, id)) return;
    await this.queue({ id, conversation, text: card.text, card, firstTriedAt: this.clock.now(), written: isAgain, state: "queued" }, true);
  }

  /**
   * Send once more what the gate asked about, and why; nothing if it asked about nothing, or the words
   * changed since. A gateway that names no incident is an older one, which takes no reason.
   */
  async confirm(conversation: string, reason: string): Promise<void> {
    const refusal = this.store.state.refusals[conversation];
    if (refusal?.confirm === undefined) return;
    const { id, text, confirm, incident } = refusal;
    const why = incident === undefined ? {} : { reason };
    await this.queue({ id, conversation, text, firstTriedAt: this.clock.now(), written: false, state: "queued", confirm, ...why });
  }

  private async queue(pending: Pending, isTypedSince = false): Promise<void> {
    const { conversation } = pending;
    const { outbox, drafts, refusals } = this.store.state;
    this.store.change({
      outbox: [...outbox, pending],
      ...(isTypedSince ? {} : { drafts: without(drafts, conversation), refusals: without(refusals, conversation) }),
    });
    if (!isTypedSince) {
      this.writes.delete(conversation);
      this.mark(conversation, null);
    }
    await this.tried(isTypedSince ? this.database?.keep(pending) : this.database?.queue(pending));
    this.streamOf(conversationOf(conversation)).send({ ...pending });
  }

  private isKnown(conversation: string, id: string): boolean {
    const { outbox, conversations } = this.store.state;
    return outbox.some((one) => one.id === id) || conversations[conversationOf(conversation)]?.items.some((item) => item.clientId === id) === true;
  }

  /** Go on with what an earlier life of this worker left behind. */
  resume(kept: readonly Pending[]): void {
    for (const pending of kept) this.streamOf(conversationOf(pending.conversation)).send({ ...pending });
  }

  /** Send what failed once more, as something new that was first tried now. */
  async retry(id: string): Promise<void> {
    const failed = this.store.state.outbox.find((one) => one.id === id);
    if (failed === undefined) return;
    const { conversation, text, to, image, card } = failed;
    const now = this.clock.now();
    // Whatever happens between the two, the words are in one of them; what is being typed stays where it is.
    await this.queue({ id: uuid7(now), conversation, text, firstTriedAt: now, written: false, state: "queued", ...(to ? { to } : {}), ...(image ? { image } : {}), ...(card ? { card } : {}) }, true);
    await this.discard(id);
  }

  async discard(id: string): Promise<void> {
    this.drop(id);
    for (const stream of this.streams()) stream.discard(id);
    await this.tried(this.database?.forget(id));
  }

  /**
   * Keep what stands in a composer. `over` is what stood there before, as its writer saw it: where the draft
   * is another one by now, a second tab wrote it, and what is replaced of it is kept beside.
   */
  async draft(conversation: string, text: string, over?: string): Promise<void> {
    const { drafts, displaced, refusals } = this.store.state;
    const [before, aside] = [drafts[conversation] ?? "", displaced[conversation] ?? ""];
    const isAnothers = over !== undefined && before !== over && !text.includes(before);
    // What was put back needs no place beside.
    const besides = isAnothers ? both(aside, before) : text.includes(aside) ? "" : aside;
    if (besides !== aside) void this.displace(conversation, besides);
    const kept = text === "" ? without(drafts, conversation) : { ...drafts, [conversation]: text };
    const refusal = refusals[conversation];
    const isOver = refusal !== undefined && refusal.text !== text;
    this.store.change({ drafts: kept, ...(isOver ? { refusals: without(refusals, conversation) } : {}) });
    await this.written(conversation, text, this.database?.draft(conversation, text));
  }

  /** Tell whether a draft that is being written to the browser's database is there. */
  private async written(conversation: string, text: string, work: Promise<void> | undefined): Promise<void> {
    const write = {};
    this.writes.set(conversation, write);
    if (text !== "") this.mark(conversation, "writing");
    const isKept = await (work ?? Promise.reject(new Error("there is none"))).then(() => true, () => false);
    if (this.writes.get(conversation) !== write) return;
    this.writes.delete(conversation);
    this.mark(conversation, isKept || text === "" ? null : "failed");
  }

  private mark(conversation: string, unkept: "writing" | "failed" | null): void {
    const known = this.store.state.unkept;
    if ((known[conversation] ?? null) === unkept) return;
    this.store.change({ unkept: unkept === null ? without(known, conversation) : { ...known, [conversation]: unkept } });
  }

  /** Forget what another tab's draft replaced. */
  async dismiss(conversation: string): Promise<void> {
    await this.displace(conversation, "");
  }

  private async displace(conversation: string, text: string): Promise<void> {
    const { displaced } = this.store.state;
    this.store.change({ displaced: text === "" ? without(displaced, conversation) : { ...displaced, [conversation]: text } });
    await this.tried(this.database?.displaced(conversation, text));
  }

  /** Keep the note of a transfer until that is made; an empty one is forgotten. */
  async note(conversation: string, text: string): Promise<void> {
    const { notes } = this.store.state;
    this.store.change({ notes: text === "" ? without(notes, conversation) : { ...notes, [conversation]: text } });
    await this.tried(this.database?.note(conversation, text));
  }

  /** An own message that is in the log needs no place here, whichever was told first. */
  arrived(frame: Frame): void {
    const client = frame.d?.client_id;
    const { outbox, me } = this.store.state;
    if (senderOf(frame) === me?.id && outbox.some((one) => one.id === client)) void this.discard(String(client));
  }

  // -- what becomes of a send -----------------------------------------------------------------------

  changed(pending: Pending): void {
    const { outbox } = this.store.state;
    if (!outbox.some((one) => one.id === pending.id)) return;
    this.store.change({ outbox: outbox.map((one) => (one.id === pending.id ? { ...pending } : one)) });
    void this.tried(this.database?.keep({ ...pending }));
  }

  /** It is in the log. The thread shows it once its event is there; until then it stays on screen. */
  delivered(pending: Pending): void {
    void this.tried(this.database?.forget(pending.id));
  }

  /** It is not, and never will be: the words go back to where they were typed. */
  refused(pending: Pending, problem: Refused): void {
    const { conversation, text } = pending;
    // A picture has no words to give back, and a card none that were typed: it stays where it is, to be sent again or discarded.
    if (pending.image !== undefined || pending.card !== undefined) return this.changed({ ...pending, state: "failed" });
    this.drop(pending.id);
    const { drafts, refusals } = this.store.state;
    const typed = drafts[conversation];
    const back = typed ? `${text}\n${typed}` : text;
    // The signature is for these very words: with others behind them they are to be judged anew.
    const signed = problem.confirm === undefined || typed ? {} : { confirm: problem.confirm };
    const kept = problem.incident_id === undefined ? {} : { incident: problem.incident_id };
    const refusal = { code: problem.code, text: back, hits: problem.hits ?? [], id: pending.id, ...signed, ...kept };
    this.store.change({ drafts: { ...drafts, [conversation]: back }, refusals: { ...refusals, [conversation]: refusal } });
    void this.written(conversation, back, this.database?.giveBack({ ...pending, text: back }));
  }

  warned(id: string, hits: readonly Hit[]): void {
    const kept = Object.entries(this.store.state.warned).slice(1 - WARNED);
    this.store.change({ warned: { ...Object.fromEntries(kept), [id]: hits } });
  }

  /** A database that fails, on a full disk say, costs a message its safety, never its way. */
  private tried(kept: Promise<void> | undefined): Promise<void> {
    return (kept ?? Promise.resolve()).catch(() => undefined);
  }

  private drop(id: string): void {
    const { outbox } = this.store.state;
    if (outbox.some((one) => one.id === id)) this.store.change({ outbox: outbox.filter((one) => one.id !== id) });
  }
}

/** Put what was replaced last behind what was before, once. */
function both(aside: string, replaced: string): string {
  if (aside.includes(replaced)) return aside;
  const whole = replaced.includes(aside) ? replaced : `${aside}\n${replaced}`;
  return Array.from(whole).slice(-DISPLACED).join("");
}
