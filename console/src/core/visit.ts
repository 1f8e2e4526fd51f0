/**
 * A buyer's chat with one shop. To the page it is one thing, whichever conversations it goes through;
 * nothing is opened by looking at it: the session begins with the first key, the conversation with the
 * first words. Must not know Vue or the DOM.
 */

import type { Clock } from "./clock.ts";
import type { Dial } from "./connection.ts";
import { Database, type Kept } from "./database.ts";
import { presses, type Press } from "./presses.ts";
import { readIn, type Frame, type Refused } from "./frames.ts";
import { Line } from "./line.ts";
import { Outbox } from "./outbox.ts";
import { Refusal, type Signed } from "./rest.ts";
import { RETRY_MS, Session } from "./session.ts";
import { Store } from "./store.ts";
import { Stream, TOO_OLD_MS } from "./stream.ts";
import type { Follower } from "./streams.ts";
import { described, readUpTo, withItems, withSnapshot, type Described } from "./threads.ts";
import { EMPTY, type Conversation, type Item, type Pending, type Position, type State } from "./types.ts";
import { lookAfterMs, standingOf, type Served, type Standing } from "./visits.ts";

/** The one chat of a visit, by which outbox and drafts are kept, whichever conversation it is now. */
export const CHAT = "chat";
const UNPROCESSABLE = 422;
const UNAUTHORIZED = 401;

/** What a page shows of a visit. */
export type Visited = Pick<State, "connection" | "connectionSince" | "outbox"> & {
  conversation: Conversation | null;
  /** What was said in conversations before this one, oldest first. */
  earlier: readonly Item[];
  draft: string;
  refusal: State["refusals"][string] | null;
  standing: Standing | null;
  /** The session ended: nothing more arrives until another one is begun. */
  isEnded: boolean;
  /** Whose id own words carry; null until a session began. */
  me: string | null;
};

/** What a browser remembers of a visit without asking anybody. */
export interface Memory {
  /** Whether a session was begun here, so that it is worth asking for it; null where nothing may be remembered. */
  wasHere: boolean | null;
}

export interface Visiting {
  shop: string;
  /** Code of the group that is asked for, if the shop has it. */
  topic: string | null;
  memory: Memory;
  /** Do something that no second tab of this browser does at the same time. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

export class Visit {
  private readonly store: Store;
  private readonly outbox: Outbox;
  private readonly session: Session;
  private readonly line: Line;
  /** Holds words as long as there is no conversation to say them in. */
  private readonly holding: Stream;
  private readonly follower: Follower = {
    heard: (stream, frame) => this.heard(stream, frame),
    joined: (stream, granted) => this.joined(stream, granted),
    refused: (stream) => this.gone(stream),
  };
  private id: string | null = null;
  private earlier: readonly Item[] = [];
  private standing: Standing | null = null;
  private isEnded = false;
  private entering: Promise<void> | null = null;
  private isOpening = false;
  private cancelLook: (() => void) | null = null;

  constructor(
    private readonly visiting: Visiting,
    dial: Dial,
    private readonly clock: Clock,
    private readonly show: (visited: Visited) => void,
    instance: string,
  ) {
    this.store = new Store(() => this.shown());
    this.session = new Session(`w${visiting.shop}`, clock, { fresh: (token) => this.line.fresh(token), replaced: () => this.left() });
    this.outbox = new Outbox(this.store, clock, () => this.stream(), () => [this.holding, ...this.line.streams.all()]);
    const outcomes = {
      changed: (pending: Pending) => this.outbox.changed(pending),
      delivered: (pending: Pending) => this.outbox.delivered(pending),
      refused: (pending: Pending, problem: Refused) => this.refused(pending, problem),
    };
    const ears = {
      show: (changed: Partial<State>) => this.store.change(changed),
      cut: () => undefined,
      renew: () => this.session.renew(),
      over: () => this.left(),
    };
    this.line = new Line(dial, clock, instance, ears, outcomes);
    this.holding = new Stream("conv:", () => undefined, clock, outcomes);
  }

  get visited(): Visited {
    const { connection, connectionSince, outbox, conversations, drafts, refusals, me } = this.store.state;
    return {
      connection,
      connectionSince,
      outbox,
      conversation: conversations[CHAT] ?? null,
      earlier: this.earlier,
      draft: drafts[CHAT] ?? "",
      refusal: refusals[CHAT] ?? null,
      standing: this.standing,
      isEnded: this.isEnded,
      me: me?.id ?? null,
    };
  }

  /** Show what was written here and not sent; ask the platform only if somebody was here before. */
  async start(): Promise<void> {
    this.outbox.database = await Database.of(`w${this.visiting.shop}`, CHAT).catch(() => null);
    const kept = await this.outbox.database?.read().catch(() => undefined);
    if (kept !== undefined) this.restore(kept);
    this.outbox.resume(kept?.outbox ?? []);
    if (this.visiting.memory.wasHere !== false) await this.enter(false).catch(() => undefined);
    if (this.isOwed()) void this.open();
  }

  /** Take up what was kept. Who is quick wrote before it could be read, and that stays. */
  private restore(kept: Kept): void {
    const { outbox, drafts } = this.store.state;
    const known = new Set(kept.outbox.map((one) => one.id));
    const fresh = outbox.filter((one) => !known.has(one.id));
    this.store.change({ outbox: [...kept.outbox, ...fresh], drafts: { ...kept.drafts, ...drafts } });
    for (const one of fresh) void this.outbox.database?.keep({ ...one }).catch(() => undefined);
    if (drafts[CHAT] !== undefined) void this.outbox.database?.draft(CHAT, drafts[CHAT]).catch(() => undefined);
  }

  /** Begin another session where one ended; what was typed and said stays on the screen. Rejects where none may be begun. */
  begin(): Promise<void> {
    return this.enter();
  }

  /** Keep what stands in the composer; the first key begins the session. */
  async draft(text: string): Promise<void> {
    if (text !== "") void this.enter().catch(() => undefined);
    if (this.store.state.connection === "stopped" && this.session.token !== "") this.line.resume(this.session.token);
    // A database that fails costs a draft its safety, never its way.
    await this.outbox.draft(CHAT, text).catch(() => undefined);
  }

  async send(text: string): Promise<void> {
    await this.outbox.send(CHAT, text);
    this.openFor();
  }

  /** Send a picture, in a conversation that is opened for it if there is none. Rejects with a `Refusal`. */
  async sendPicture(picture: Blob, key: string): Promise<void> {
    await this.enter();
    if (this.id === null || this.standing?.state === "closed") this.follow(await this.opened());
    const made = (await this.session.call("POST", `/v1/conversations/${this.id}/images`, picture, { key })) as { url: string };
    await this.outbox.send(CHAT, "", undefined, false, undefined, made.url);
    this.openFor();
  }

  /** Fetch a picture that was sent here. Rejects with a `Refusal`. */
  picture(path: string): Promise<Blob> {
    return this.session.call("GET", path) as Promise<Blob>;
  }

  /** Press something on a card. Rejects with a `Refusal`. */
  readonly press: Press = presses(
    (path, body, how) => this.session.call("POST", path, body, how),
    (card, id) => this.outbox.sendCard(CHAT, card, id).then(() => this.openFor()),
  );

  async retry(id: string): Promise<void> {
    await this.outbox.retry(id);
    this.openFor();
  }

  discard(id: string): Promise<void> {
    return this.outbox.discard(id);
  }

  /** Somebody sees the end of the thread. */
  read(): void {
    const last = this.store.state.conversations[CHAT]?.items.at(-1);
    if (last !== undefined && this.id !== null) this.line.write({ t: "read", s: `conv:${this.id}`, position: last.position });
  }

  /** Say how the service was, once. Rejects with a `Refusal`. */
  async rate(score: number): Promise<void> {
    await this.session.call("POST", `/v1/conversations/${this.id}/rating`, { score });
    await this.look();
  }

  private shown(): void {
    this.show(this.visited);
  }

  // -- the session ------------------------------------------------------------------------------------

  /** Go on with this browser's session, or begin one. Rejects when neither is possible now. */
  private enter(mayBegin = true): Promise<void> {
    if (this.session.token !== "") return Promise.resolve();
    if (this.entering !== null) return mayBegin ? this.entering.catch(() => this.enter()) : this.entering;
    this.entering = this.entered(mayBegin).finally(() => (this.entering = null));
    return this.entering;
  }

  private async entered(mayBegin: boolean): Promise<void> {
    const signed = await this.visiting.alone(() => this.signed(mayBegin));
    this.visiting.memory.wasHere = true;
    this.session.hold(signed);
    this.isEnded = false;
    const { id, name, role, shop_id: shopId } = signed.person;
    this.store.change({ me: { ...(this.store.state.me ?? { state: null }), id, name, role, shopId }, connectionSince: this.clock.now() });
    this.line.open(this.session.token);
    const latest = (await this.session.call("GET", "/v1/conversations?limit=1").catch(() => null)) as { items: Served[] } | null;
    const [last] = latest?.items ?? [];
    if (last !== undefined && this.id === null) this.follow(last);
  }

  private async signed(mayBegin: boolean): Promise<Signed> {
    try {
      // Another tab may have begun one a moment ago: only who has none begins one.
      return await this.session.refreshed(() => true);
    } catch (error) {
      if (!mayBegin || !(error instanceof Refusal) || error.status !== UNAUTHORIZED) throw error;
      return this.session.visit();
    }
  }

  /** The session is over: what is on the screen stays, and the next key, or what is unsent, begins another. */
  private left(): void {
    this.session.end();
    this.hold();
    this.line.close();
    this.id = null;
    this.cancelLook?.();
    // Who serves him is not known any more, and nobody hears him.
    this.standing = null;
    this.isEnded = true;
    this.store.change({ connection: "connecting" });
    if (this.isOwed()) void this.open();
  }

  // -- the conversation ---------------------------------------------------------------------------------

  private stream(): Stream {
    return (this.id === null || this.standing?.state === "closed" ? undefined : this.line.streams.get(`conv:${this.id}`)) ?? this.holding;
  }

  /** Whether words wait that are still to be sent by themselves. */
  private isOwed(): boolean {
    return this.store.state.outbox.some((one) => one.state !== "failed" && this.clock.now() - one.firstTriedAt <= TOO_OLD_MS);
  }

  /** Words were written: where nothing is open to say them in, something is opened. */
  private openFor(): void {
    if (this.id === null || this.standing?.state === "closed") void this.open();
  }

  /** Open the conversation that words wait for, however long the platform is away. */
  private async open(): Promise<void> {
    if (this.isOpening) return;
    this.isOpening = true;
    try {
      while (this.isOwed()) {
        const opened = await this.opened().catch(() => null);
        if (opened !== null) return this.follow(opened);
        await new Promise<void>((resolve) => this.clock.after(RETRY_MS * (0.5 + this.clock.random()), resolve));
      }
    } finally {
      this.isOpening = false;
    }
  }

  private async opened(): Promise<Served> {
    await this.enter();
    const { topic } = this.visiting;
    const ask = (body: object) => this.session.call("POST", "/v1/conversations", body) as Promise<Served>;
    if (topic === null) return ask({});
    return ask({ topic }).catch((error: unknown) => {
      // A shop without this group serves its buyers by another one.
      if (error instanceof Refusal && error.status === UNPROCESSABLE) return ask({});
      throw error;
    });
  }

  /** This is the buyer's conversation from now on: show it, and say in it what waits. */
  private follow(served: Served): void {
    const known = this.store.state.conversations[CHAT];
    if (known === undefined || known.id !== served.id) {
      this.earlier = [...this.earlier, ...(known?.items ?? [])];
      this.store.change({ conversations: { [CHAT]: described(undefined, served as unknown as Described) } });
    }
    if (this.id !== null && this.id !== served.id) this.line.streams.leave(`conv:${this.id}`);
    this.id = served.id;
    this.told(served);
    const stream = this.line.streams.follow(`conv:${served.id}`, this.follower);
    if (this.standing?.state !== "closed") this.moveTo(stream);
    void this.look();
  }

  /** Take everything unsent out of the way: what comes next decides where it is said. */
  private hold(): void {
    for (const stream of this.line.streams.all()) this.move(stream, this.holding);
  }

  private moveTo(stream: Stream): void {
    this.move(this.holding, stream);
  }

  private move(from: Stream, to: Stream): void {
    for (const one of this.store.state.outbox) {
      if (one.state === "failed" || !from.has(one.id)) continue;
      from.discard(one.id);
      to.send({ ...one });
    }
  }

  private heard(stream: Stream, frame: Frame): void {
    const known = this.store.state.conversations[CHAT];
    if (stream.name !== `conv:${this.id}` || known === undefined) return;
    if (frame.t === "snap") {
      const items = (frame.d?.items ?? []) as Frame[];
      for (const item of items) stream.isNew(item);
      stream.advance(frame.position);
      this.store.patch(CHAT, readUpTo(withSnapshot(known, undefined, items), readIn(frame).owner));
      for (const item of items) this.outbox.arrived(item);
    } else if (frame.t === "ev" && stream.isNew(frame)) {
      this.store.patch(CHAT, withItems(known, [frame]));
      this.outbox.arrived(frame);
      if (frame.type?.startsWith("conversation.")) void this.look();
    } else if (frame.t === "patch") {
      const read = frame.d?.read as { person_id?: string; position?: Position } | undefined;
      if (read?.position && read.person_id !== this.store.state.me?.id) this.store.patch(CHAT, readUpTo(known, read.position));
    }
  }

  /** One that was closed long ago is read here; where the buyer is served now, the server says. */
  private joined(stream: Stream, granted: Record<string, unknown>): void {
    if (stream.name !== `conv:${this.id}` || granted.may_send === true) return;
    this.hold();
    this.standing = this.standing === null ? null : { ...this.standing, state: "closed" };
    if (this.isOwed()) void this.open();
  }

  private gone(stream: Stream): void {
    if (stream.name !== `conv:${this.id}`) return;
    this.hold();
    this.line.streams.leave(stream.name);
    this.id = null;
    if (this.isOwed()) void this.open();
  }

  private refused(pending: Pending, problem: Refused): void {
    if (problem.code !== "conversation_closed") return this.outbox.refused(pending, problem);
    // It ended while these words were on their way: they are the first of the next one.
    this.holding.send({ ...pending, written: false, state: "queued" });
    void this.open();
  }

  // -- how it stands --------------------------------------------------------------------------------------

  private told(served: Served): void {
    this.standing = standingOf(served, this.standing);
    this.shown();
  }

  /** Ask how the conversation stands, now and every so often. */
  private async look(): Promise<void> {
    this.cancelLook?.();
    const asked = this.id;
    if (asked === null) return;
    const served = (await this.session.call("GET", `/v1/conversations/${asked}`).catch(() => null)) as Served | null;
    if (this.id !== asked) return;
    if (served !== null) this.told(served);
    const wait = lookAfterMs(this.standing);
    this.cancelLook?.();
    if (wait !== null) this.cancelLook = this.clock.after(wait * (0.8 + 0.4 * this.clock.random()), () => void this.look());
  }
}

/** A visit before anything is known. */
export const NOTHING: Visited = {
  connection: EMPTY.connection,
  connectionSince: 0,
  outbox: [],
  conversation: null,
  earlier: [],
  draft: "",
  refusal: null,
  standing: null,
  isEnded: false,
  me: null,
};
